package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/telemetry"
	"github.com/sallyport-go/sallyport/jwks"
)

const maxHost = 64 // of an issuer that is called by it

// records are the log of decisions and, with -metrics, what Prometheus reads.
type records struct {
	log     claims.Observer
	tel     *telemetry.Telemetry // nil without -metrics
	metrics http.Handler         // nil without -metrics
}

// newRecords returns records of decisions about tokens of the issuers.
func newRecords(withMetrics bool, issuers ...string) (*records, error) {
	r := new(records)
	if !withMetrics {
		return r, nil
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector())
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry))
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, issuer := range issuers {
		if u, err := url.Parse(issuer); err == nil && u.Host != "" && len(u.Host) <= maxHost {
			names[issuer] = u.Host
		}
	}
	r.metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	r.tel, err = telemetry.New(telemetry.Config{
		MeterProvider: metric.NewMeterProvider(metric.WithReader(exporter)), Issuers: names,
	})
	return r, err
}

// logTo writes a line for each decision.
func (r *records) logTo(log *slog.Logger) { r.log = claims.LogDecisions(log) }

// ofKeys is an observer of the key cache of an issuer, nil without -metrics.
func (r *records) ofKeys(issuer string) func(context.Context, jwks.Event) {
	if r.tel == nil {
		return nil
	}
	return r.tel.KeyObserver(issuer)
}

// observe is a [claims.Observer].
func (r *records) observe(ctx context.Context, d claims.Decision) {
	r.log(ctx, d)
	r.tel.Observe(ctx, d)
}

// watch exports the key sets of what knows of any, and the access table.
func (r *records) watch(issuers trusted, operations ...[]claims.Operation) error {
	r.tel.SetPolicy(operations...)
	if known, ok := issuers.(interface {
		KeyStats() map[string]jwks.Stats
	}); ok {
		return r.tel.WatchKeys(known.KeyStats)
	}
	return nil
}

// watchNews exports the table of what has ended, if there is one.
func (r *records) watchNews(n *news) error {
	if n.table == nil {
		return nil
	}
	return r.tel.WatchRevocations(n.table.Stats)
}
