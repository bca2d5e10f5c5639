package telemetry

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/jwks"
)

type keyGauges struct {
	age, usableFor                                     metric.Float64ObservableGauge
	state, failures, keys, generation, info, skippedBy metric.Int64ObservableGauge
}

func newKeyGauges(m *maker) keyGauges {
	return keyGauges{
		age: m.ageGauge("sallyport.key_set.age", "Time since the keys held were fetched."),
		usableFor: m.ageGauge("sallyport.key_set.usable_for",
			"Time until the keys held are not used any more."),
		state: m.gauge("sallyport.key_set.state", "1 for the state of the key set, else 0."),
		failures: m.gauge("sallyport.key_set.failures",
			"Scheduled fetches that failed since the last one that succeeded."),
		keys: m.gauge("sallyport.key_set.keys", "Keys held."),
		generation: m.gauge("sallyport.key_set.generation",
			"Key sets that differed from the one before."),
		info: m.gauge("sallyport.key_set.info", "1, with the thumbprint of the keys held."),
		skippedBy: m.gauge("sallyport.key.skipped",
			"Keys of the key set that were left out."),
	}
}

func (g keyGauges) all() []metric.Observable {
	return []metric.Observable{
		g.age, g.usableFor, g.state, g.failures, g.keys, g.generation, g.info, g.skippedBy,
	}
}

// states are in order, the worst last.
var states = []jwks.State{
	jwks.StateFresh, jwks.StateIdle, jwks.StateEmpty, jwks.StateFailing, jwks.StateStale,
	jwks.StateUnavailable,
}

// WatchKeys exports what key caches hold, by the issuer's identifier, each time
// the metrics are read: the KeyStats method of a [claims.Issuers], or of one's
// own,
//
//	func() map[string]jwks.Stats {
//		return map[string]jwks.Stats{issuer: verifier.KeyStats()}
//	}
//
// It must be quick and safe for concurrent use. Of issuers with one name, and
// of those without, it is the worst that shows. The error is what the
// MeterProvider refuses.
func (t *Telemetry) WatchKeys(stats func() map[string]jwks.Stats) error {
	if !t.isMade() || stats == nil {
		return nil
	}
	gauges := t.instruments.keys
	_, err := t.instruments.meter.RegisterCallback(
		func(_ context.Context, o metric.Observer) (err error) {
			defer func() {
				if p := recover(); p != nil { // it is the user's
					err = fmt.Errorf("telemetry: the function of WatchKeys panicked: %v", p)
				}
			}()
			for name, s := range t.byName(stats()) {
				gauges.observe(o, name, s)
			}
			return nil
		}, gauges.all()...)
	return err
}

// byName returns the worst key set of each name.
func (t *Telemetry) byName(stats map[string]jwks.Stats) map[string]jwks.Stats {
	worst := make(map[string]jwks.Stats, len(stats))
	for _, issuer := range slices.Sorted(maps.Keys(stats)) {
		s := stats[issuer]
		if s.State == "" { // not of a cache
			continue
		}
		name := t.nameOf(issuer)
		if before, ok := worst[name]; !ok || isWorse(s, before) {
			worst[name] = s
		}
	}
	return worst
}

func isWorse(s, than jwks.Stats) bool {
	a, b := slices.Index(states, s.State), slices.Index(states, than.State)
	return a > b || a == b && s.UsableFor < than.UsableFor
}

func (g keyGauges) observe(o metric.Observer, name string, s jwks.Stats) {
	issuer := labels("issuer", name)
	for _, state := range states {
		var is int64
		if s.State == state {
			is = 1
		}
		o.ObserveInt64(g.state, is, labels("issuer", name, "state", string(state)))
	}
	o.ObserveInt64(g.failures, int64(s.Failures), issuer)
	o.ObserveInt64(g.generation, int64(s.Generation), issuer)
	o.ObserveInt64(g.keys, int64(len(s.KeyIDs)), issuer)
	if s.Generation == 0 { // nothing is held that has an age
		return
	}
	o.ObserveFloat64(g.age, s.Age.Seconds(), issuer)
	o.ObserveFloat64(g.usableFor, s.UsableFor.Seconds(), issuer)
	o.ObserveInt64(g.info, 1, labels("issuer", name, "thumbprint", s.Thumbprint))
	skipped := map[string]int64{}
	for _, key := range s.Skipped {
		skipped[key.Reason]++
	}
	for reason, n := range skipped {
		o.ObserveInt64(g.skippedBy, n, labels("issuer", name, "reason", reason))
	}
}

// KeyObserver returns an observer of the key cache of an issuer, which is given
// by its identifier: for [jwks.Config].Observer, so also of
// [claims.Config].KeyCache. It records fetches, and look-ups that end without a
// key.
func (t *Telemetry) KeyObserver(issuer string) func(context.Context, jwks.Event) {
	if !t.isMade() {
		return func(context.Context, jwks.Event) {}
	}
	name := t.nameOf(issuer)
	refused := map[jwks.Refusal][]metric.AddOption{}
	for _, r := range []jwks.Refusal{
		jwks.RefusalUnknownKey, jwks.RefusalCooldown, jwks.RefusalKnownMissing,
		jwks.RefusalUnavailable,
	} {
		refused[r] = []metric.AddOption{labels("issuer", name, "refusal", string(r))}
	}
	return func(ctx context.Context, e jwks.Event) {
		switch e.Kind {
		case jwks.EventFetch:
			t.instruments.keyFetch.Record(ctx, e.Duration.Seconds(),
				labels("issuer", name, "cause", string(e.Cause), "fault", string(e.Fault)))
		case jwks.EventRefusal:
			if options, ok := refused[e.Refusal]; ok {
				t.instruments.keyRefused.Add(ctx, 1, options...)
			}
		}
	}
}
