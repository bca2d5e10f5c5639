package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/metric"
)

// From a microsecond, as a token that is remembered takes no more.
var (
	decisionSeconds = []float64{
		1e-6, 2.5e-6, 5e-6, 10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6,
		1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 0.1, 0.5, 1, 5, 10,
	}
	fetchSeconds = []float64{1e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60}
)

// instruments are those that something is recorded with. The others are
// observed, by callbacks.
type instruments struct {
	meter metric.Meter

	decisions       metric.Float64Histogram
	reported        metric.Int64Counter
	tokens          metric.Int64Counter
	permissions     metric.Int64Counter
	permissionFetch metric.Float64Histogram
	keyFetch        metric.Float64Histogram
	keyRefused      metric.Int64Counter

	keys        keyGauges
	policy      policyGauges
	revocations revocationGauges
}

// maker makes instruments and collects what is wrong with them.
type maker struct {
	meter metric.Meter
	errs  []error
}

func newInstruments(meter metric.Meter) (*instruments, error) {
	m := maker{meter: meter}
	i := &instruments{
		meter: meter,
		decisions: m.seconds("sallyport.decision.duration", decisionSeconds,
			"How long it took to verify the credentials and decide."),
		reported: m.counter("sallyport.decision.reported",
			"Requests that a requirement which is only reported would have refused."),
		tokens: m.counter("sallyport.token_cache.lookup",
			"Accepted requests, by whether their token was verified before."),
		permissions: m.counter("sallyport.permission.lookup",
			"Decisions that looked at permissions, by where those were from."),
		permissionFetch: m.seconds("sallyport.permission.fetch.duration", fetchSeconds,
			"How long the permission source took."),
		keyFetch: m.seconds("sallyport.key_set.fetch.duration", fetchSeconds,
			"How long a fetch of a key set took."),
		keyRefused: m.counter("sallyport.key_set.lookup.refused",
			"Look-ups that ended without a key."),
		keys:        newKeyGauges(&m),
		policy:      newPolicyGauges(&m),
		revocations: newRevocationGauges(&m),
	}
	return i, errors.Join(m.errs...)
}

func (m *maker) seconds(name string, bounds []float64, about string) metric.Float64Histogram {
	h, err := m.meter.Float64Histogram(name, metric.WithUnit("s"),
		metric.WithExplicitBucketBoundaries(bounds...), metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return h
}

func (m *maker) counter(name, about string) metric.Int64Counter {
	c, err := m.meter.Int64Counter(name, metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return c
}

func (m *maker) gauge(name, about string) metric.Int64ObservableGauge {
	g, err := m.meter.Int64ObservableGauge(name, metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return g
}

func (m *maker) observed(name, about string) metric.Int64ObservableCounter {
	c, err := m.meter.Int64ObservableCounter(name, metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return c
}

func (m *maker) ageGauge(name, about string) metric.Float64ObservableGauge {
	g, err := m.meter.Float64ObservableGauge(
		name, metric.WithUnit("s"), metric.WithDescription(about))
	m.errs = append(m.errs, err)
	return g
}
