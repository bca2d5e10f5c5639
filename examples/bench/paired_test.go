package bench

import (
	"slices"
	"testing"
	"time"
)

// turn is long beside the clock's resolution and short beside the disturbances
// of a shared machine, so that these fall on both of a pair alike.
const turn = time.Millisecond

// BenchmarkPaired reports how many times as long as the primitive each
// contestant takes. One operation is a pair of turns.
func BenchmarkPaired(b *testing.B) {
	for _, alg := range algorithms {
		b.Run("alg="+alg, func(b *testing.B) {
			w := newWorld(b)
			primitive := newPrimitive(b, issuerKeys()[alg].Public(), alg, w.good(alg))
			// Against itself: how far from 1 is noise.
			b.Run("impl=primitive", func(b *testing.B) {
				newPair(b, primitive, primitive).run(b)
			})
			for _, c := range inTurns() {
				b.Run("impl="+c.name, func(b *testing.B) {
					newPair(b, verifying(b, c.warm(b, w, alg), w.good(alg)), primitive).run(b)
				})
			}
		})
	}
}

type pair struct {
	contestant, primitive player
}

// player repeats op as often as a turn needs.
type player struct {
	op        func() error
	perTurn   int
	wall, cpu time.Duration // of its last turn
	sum       time.Duration // of processor time
	turns     int
}

func newPair(b *testing.B, contestant, primitive func() error) *pair {
	b.Helper()
	return &pair{newPlayer(b, contestant), newPlayer(b, primitive)}
}

func newPlayer(b *testing.B, op func() error) player {
	b.Helper()
	p := player{op: op, perTurn: 1}
	for {
		p.play(b)
		if p.wall >= turn/2 {
			break
		}
		p.perTurn *= 2
	}
	p.perTurn = max(1, int(float64(p.perTurn)*float64(turn)/float64(p.wall)))
	p.sum, p.turns = 0, 0
	return p
}

func (p *player) play(b *testing.B) {
	cpu, start := cpuTime(), time.Now()
	for range p.perTurn {
		if err := p.op(); err != nil {
			b.Fatal(err)
		}
	}
	p.wall, p.cpu = time.Since(start), cpuTime()-cpu
	p.sum += p.cpu
	p.turns++
}

// perOp is the wall time of an operation in the last turn.
func (p *player) perOp() float64 { return float64(p.wall) / float64(p.perTurn) }

func (p *player) cpuPerOp() float64 { return float64(p.sum) / float64(p.turns*p.perTurn) }

func (p *pair) run(b *testing.B) {
	var ratios []float64
	for b.Loop() {
		// Each goes first in every second pair, so that neither gains by its
		// place.
		if len(ratios)%2 == 0 {
			p.contestant.play(b)
			p.primitive.play(b)
		} else {
			p.primitive.play(b)
			p.contestant.play(b)
		}
		ratios = append(ratios, p.contestant.perOp()/p.primitive.perOp())
	}
	b.ReportMetric(0, "ns/op") // of a pair of turns: it says nothing
	b.ReportMetric(median(ratios), "x-primitive")
	if p.primitive.sum > 0 {
		b.ReportMetric(p.contestant.cpuPerOp()/p.primitive.cpuPerOp(), "cpu-x-primitive")
		b.ReportMetric(p.contestant.cpuPerOp(), "cpu-ns/op")
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}
