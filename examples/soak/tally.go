package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

const (
	maxHeapGrowth      = 8 << 20
	maxGoroutineGrowth = 20
)

// tally counts outcomes.
type tally struct {
	mu   sync.Mutex
	rows map[string]*row // by transport and probe
}

type row struct {
	outcomes map[int]int
	wrong    int
	slowest  time.Duration
}

func newTally() *tally { return &tally{rows: map[string]*row{}} }

func (t *tally) add(transport, probe string, got int, right bool, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := transport + "\t" + probe
	r := t.rows[name]
	if r == nil {
		r = &row{outcomes: map[int]int{}}
		t.rows[name] = r
	}
	r.outcomes[got]++
	r.slowest = max(r.slowest, took)
	if !right {
		r.wrong++
	}
}

// print writes the table and returns what was wrong.
func (t *tally) print(out io.Writer, w *world, used [2]usage) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	tab := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "transport\ttoken\t200\t401\t403\t503\tother\twrong\tslowest")
	names := make([]string, 0, len(t.rows))
	for name := range t.rows {
		names = append(names, name)
	}
	slices.Sort(names)
	var wrong, all int
	for _, name := range names {
		r := t.rows[name]
		other := 0
		for status, n := range r.outcomes {
			all += n
			if !slices.Contains([]int{200, 401, 403, 503}, status) {
				other += n
			}
		}
		wrong += r.wrong
		fmt.Fprintf(tab, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%v\n", name, r.outcomes[200], r.outcomes[401],
			r.outcomes[403], r.outcomes[503], other, r.wrong, r.slowest.Round(time.Millisecond))
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	stats := w.cache.Stats()
	fmt.Fprintf(out, "\n%d requests, %d wrong; %v\n", all, wrong, w)
	fmt.Fprintf(out, "fetches %v, failed %v, cooldown hits %d, key set generation %d\n",
		stats.Fetches, stats.Faults, stats.CooldownHits, stats.Generation)
	fmt.Fprintf(out, "heap %.1f → %.1f MB, goroutines %d → %d\n",
		float64(used[0].heap)/1e6, float64(used[1].heap)/1e6,
		used[0].goroutines, used[1].goroutines)

	errs := []error{w.learnt()}
	if wrong > 0 || all == 0 {
		errs = append(errs, fmt.Errorf("%d of %d outcomes were wrong", wrong, all))
	}
	if used[1].heap > used[0].heap+maxHeapGrowth {
		errs = append(errs, errors.New("the heap grew"))
	}
	if used[1].goroutines > used[0].goroutines+maxGoroutineGrowth {
		errs = append(errs, errors.New("goroutines were left behind"))
	}
	return errors.Join(errs...)
}
