package telemetry

import (
	"context"
	"maps"
	"strconv"

	"go.opentelemetry.io/otel/metric"

	"github.com/sallyport-go/sallyport/claims"
)

// maxSeries is how many different decisions are told apart. A service of a
// hundred operations has some hundreds.
const maxSeries = 10_000

// series is what tells one decision from another. Each field has a few values,
// none of which a caller may choose.
type series struct {
	outcome, reason, operation, protocol, issuer string
	part                                         bool
}

// measured are the options of measurements, made once for each series.
type measured struct {
	decision []metric.RecordOption
	reported []metric.AddOption
}

var (
	remembered = []metric.AddOption{labels("hit", "true")}
	verified   = []metric.AddOption{labels("hit", "false")}
	origins    = map[string][]metric.AddOption{
		"token":  {labels("from", "token")},
		"cache":  {labels("from", "cache")},
		"source": {labels("from", "source")},
	}
)

// Observe records a decision, and tells the span of its request. It is a
// [claims.Observer]. To log decisions as well, call both from one function.
func (t *Telemetry) Observe(ctx context.Context, d claims.Decision) {
	if !t.isMade() {
		return
	}
	s := series{
		outcome: d.Outcome(), operation: t.policy.Load().nameOf(d.Protocol, d.Operation),
		protocol: d.Protocol, issuer: t.nameOf(d.Issuer), part: d.Part,
	}
	if d.Err != nil {
		s.reason = string(d.Err.Reason())
	}
	i := t.instruments
	i.decisions.Record(ctx, d.Duration.Seconds(), t.measured(s).decision...)
	tellSpan(ctx, s, d)
	if d.Reported != nil {
		would := s
		would.outcome = claims.Decision{Err: d.Reported}.Outcome()
		would.reason = string(d.Reported.Reason())
		i.reported.Add(ctx, 1, t.measured(would).reported...)
	}
	if from, ok := origins[d.Permissions]; ok {
		i.permissions.Add(ctx, 1, from...)
	}
	if d.Err == nil && !d.Part {
		if d.Remembered {
			i.tokens.Add(ctx, 1, remembered...)
		} else {
			i.tokens.Add(ctx, 1, verified...)
		}
	}
}

// measured returns the options for a series: a look-up without a lock and
// without an allocation, for one that was met before.
func (t *Telemetry) measured(s series) *measured {
	if m := (*t.series.Load())[s]; m != nil {
		return m
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	known := *t.series.Load()
	if known[s] == nil && len(known) >= maxSeries {
		s.operation, s.issuer = other, other
	}
	if m := known[s]; m != nil {
		return m
	}
	m := &measured{
		decision: []metric.RecordOption{labels(
			"outcome", s.outcome, "reason", s.reason, "operation", s.operation,
			"protocol", s.protocol, "part", strconv.FormatBool(s.part), "issuer", s.issuer)},
		reported: []metric.AddOption{labels("outcome", s.outcome, "reason", s.reason,
			"operation", s.operation, "protocol", s.protocol)},
	}
	next := maps.Clone(known)
	next[s] = m
	t.series.Store(&next)
	return m
}
