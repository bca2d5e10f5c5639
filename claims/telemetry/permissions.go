package telemetry

import (
	"context"
	"reflect"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/claims"
)

var (
	answered = []metric.RecordOption{labels("result", "ok")}
	failed   = []metric.RecordOption{labels("result", "error")}
)

// Permissions returns a source that asks another and records how long it took
// and whether it failed. Give it to [claims.NewPermissionCache]: what the cache
// remembers does not reach it. Nil, and a nil pointer, stay what they are, so
// that whoever gets them can say so.
func (t *Telemetry) Permissions(source claims.PermissionSource) claims.PermissionSource {
	if v := reflect.ValueOf(source); source == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return source
	}
	if !t.isMade() {
		return source
	}
	return timed{source, t.instruments.permissionFetch}
}

type timed struct {
	source  claims.PermissionSource
	seconds metric.Float64Histogram
}

// Permissions implements [claims.PermissionSource].
func (s timed) Permissions(ctx context.Context, who claims.Principal) (claims.Grants, error) {
	start, result := time.Now(), failed // a panic is a failure too
	defer func() { s.seconds.Record(ctx, time.Since(start).Seconds(), result...) }()
	grants, err := s.source.Permissions(ctx, who)
	if err == nil {
		result = answered
	}
	return grants, err
}
