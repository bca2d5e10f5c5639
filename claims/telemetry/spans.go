package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/sallyport-go/sallyport/claims"
)

// tellSpan adds the decision to the span of the request, if that is recorded.
func tellSpan(ctx context.Context, s series, d claims.Decision) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	attrs := []attribute.KeyValue{
		attribute.String("sallyport.outcome", s.outcome),
		attribute.String("sallyport.operation", s.operation),
		attribute.String("sallyport.protocol", s.protocol),
		attribute.Float64("sallyport.duration", d.Duration.Seconds()),
	}
	add := func(key, value string) {
		if value != "" {
			attrs = append(attrs, attribute.String(key, value))
		}
	}
	add("sallyport.reason", s.reason)
	add("sallyport.issuer", s.issuer)
	add("sallyport.permissions", d.Permissions)
	if d.Reported != nil {
		add("sallyport.would_be_reason", string(d.Reported.Reason()))
	}
	if s.part {
		attrs = append(attrs, attribute.Bool("sallyport.part", true))
	}
	span.AddEvent("sallyport.decision", trace.WithAttributes(attrs...))
}
