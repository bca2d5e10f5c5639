package bench

import (
	"context"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	callers = 32

	// spell is how long the callers of one contestant have in a round.
	spell = 100 * time.Millisecond
)

// BenchmarkEndToEnd measures requests over loopback sockets: callers in this
// process, each with a request at a time, and servers in another. In each round
// all contestants have their turn, in random order; ratios are to the server
// without a guard in the same round, and the median of the rounds is reported.
func BenchmarkEndToEnd(b *testing.B) {
	w := newWorld(b)
	server := startServerProcess(b, w)
	for _, alg := range endToEndAlgorithms {
		b.Run(httpName(alg), func(b *testing.B) {
			newContest(b, server, httpName(alg), func(address string) []func() error {
				return httpCallers(b, address, w.good(alg))
			}).run(b)
		})
	}
	for _, kind := range grpcCalls {
		b.Run(grpcName+"/call="+kind.name, func(b *testing.B) {
			newContest(b, server, grpcName, func(address string) []func() error {
				return grpcCallers(b, address, w.good(transportAlg), kind.call)
			}).run(b)
		})
	}
}

func TestEndToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	server := startServerProcess(t, w)
	for _, c := range server.contestants {
		alg := transportAlg
		if _, named, ok := strings.Cut(c.Name, "alg="); ok {
			alg = named
		}
		none := c.Impl == "none"
		for _, tt := range []struct {
			token string
			want  bool
		}{
			{w.good(alg), true},
			{withBadSignature(w.good(alg)), none},
			{w.withoutScope(alg), none},
		} {
			if c.Name != grpcName {
				err := newHTTPCaller(t, c.Address, tt.token).call()
				assert.Equal(t, tt.want, err == nil, "%v: %v", c, err)
				continue
			}
			for _, kind := range grpcCalls {
				caller := newGRPCCaller(t.Context(), dialGRPC(t, c.Address), tt.token)
				err := kind.call(caller)()
				assert.Equal(t, tt.want, err == nil, "%v, %s: %v", c, kind.name, err)
			}
		}
	}
	server.cpuTime(t) // goes on answering
}

var grpcCalls = []struct {
	name string
	call func(*grpcCaller) func() error
}{
	{"unary", func(c *grpcCaller) func() error { return c.unary }},
	{"message", func(c *grpcCaller) func() error { return c.message }},
	{"open", func(c *grpcCaller) func() error { return c.open }},
}

func httpCallers(tb testing.TB, address, token string) []func() error {
	tb.Helper()
	calls := make([]func() error, callers)
	for i := range calls {
		calls[i] = newHTTPCaller(tb, address, token).call
	}
	return calls
}

func grpcCallers(
	tb testing.TB, address, token string, call func(*grpcCaller) func() error,
) []func() error {
	tb.Helper()
	// Streams that stay open end with this, before the connections close.
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(cancel)
	calls := make([]func() error, 0, callers)
	for range grpcConnections {
		conn := dialGRPC(tb, address)
		for range callers / grpcConnections {
			calls = append(calls, call(newGRPCCaller(ctx, conn, token)))
		}
	}
	return calls
}

// contest has rounds of the contestants of one name.
type contest struct {
	server   *serverProcess
	entrants []*entrant
}

// entrant is a contestant with its callers. The first of a contest has no
// guard.
type entrant struct {
	impl   string
	calls  []func() error
	rounds []figures
}

// figures are what a turn brought.
type figures struct {
	perSecond, p50, p99, cpu float64 // the latter in nanoseconds
}

// newContest connects to the contestants of that name, and makes every call
// once, so that keys are fetched and tokens remembered.
func newContest(
	b *testing.B, server *serverProcess, name string, connect func(address string) []func() error,
) *contest {
	b.Helper()
	c := &contest{server: server}
	for _, s := range server.contestants {
		if s.Name == name {
			c.entrants = append(c.entrants, &entrant{impl: s.Impl, calls: connect(s.Address)})
		}
	}
	for _, e := range c.entrants {
		for _, call := range e.calls {
			require.NoError(b, call(), e.impl)
		}
	}
	return c
}

// run plays the rounds, as many as -benchtime has room for, and reports them as
// one benchmark for each entrant.
func (c *contest) run(b *testing.B) {
	rounds, lasts := 1, spell
	if text := benchtime(); strings.HasSuffix(text, "x") {
		lasts = time.Millisecond // it is to be seen whether it works
	} else if total, err := time.ParseDuration(text); err == nil {
		rounds = max(1, int(total/spell))
	}
	for range rounds {
		for _, i := range rand.Perm(len(c.entrants)) {
			c.entrants[i].play(b, c.server, lasts)
		}
	}
	for _, e := range c.entrants {
		b.Run("impl="+e.impl, func(b *testing.B) { e.report(b, c.entrants[0]) })
	}
}

func benchtime() string {
	if set := flag.Lookup("test.benchtime"); set != nil {
		return set.Value.String()
	}
	return ""
}

// play has all callers of e call for as long as given.
func (e *entrant) play(b *testing.B, server *serverProcess, lasts time.Duration) {
	b.Helper()
	took := make([][]time.Duration, len(e.calls))
	errs := make([]error, len(e.calls))
	var running sync.WaitGroup
	cpu, start := server.cpuTime(b), time.Now()
	for i, call := range e.calls {
		running.Go(func() {
			for now := start; now.Sub(start) < lasts && errs[i] == nil; {
				errs[i] = call()
				done := time.Now()
				took[i] = append(took[i], done.Sub(now))
				now = done
			}
		})
	}
	running.Wait()
	wall := time.Since(start)
	cpu = server.cpuTime(b) - cpu
	for _, err := range errs {
		require.NoError(b, err, e.impl)
	}
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	e.rounds = append(e.rounds, figures{
		perSecond: float64(len(all)) / wall.Seconds(),
		p50:       float64(all[len(all)/2]),
		p99:       float64(all[len(all)*99/100]),
		cpu:       float64(cpu) / float64(len(all)),
	})
}

func (e *entrant) report(b *testing.B, bare *entrant) {
	b.ReportMetric(0, "ns/op") // of a report: it says nothing
	for _, metric := range []struct {
		unit, ratio string
		of          func(figures) float64
	}{
		{"requests/s", "requests-x-bare", func(f figures) float64 { return f.perSecond }},
		{"p50-ns", "p50-x-bare", func(f figures) float64 { return f.p50 }},
		{"p99-ns", "p99-x-bare", func(f figures) float64 { return f.p99 }},
		{"cpu-ns/op", "cpu-x-bare", func(f figures) float64 { return f.cpu }},
	} {
		var values, ratios []float64
		for i, round := range e.rounds {
			value, to := metric.of(round), metric.of(bare.rounds[i])
			if value == 0 || to == 0 {
				continue // processor time that is not known, or too short to be seen
			}
			values, ratios = append(values, value), append(ratios, value/to)
		}
		if len(values) > 0 {
			b.ReportMetric(median(values), metric.unit)
			b.ReportMetric(median(ratios), metric.ratio)
		}
	}
}
