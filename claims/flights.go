package claims

import (
	"context"
	"sync"
)

// flights are the tokens that are being verified, so that of identical ones that
// arrive together one is.
type flights struct {
	mu    sync.Mutex
	first *flight // a list: there are hardly ever two
}

type flight struct {
	sum  tokenSum
	next *flight
	done chan struct{} // nil until somebody waits
}

func (t *tokenTable) flightsOf(sum *tokenSum) *flights { return &t.flights[sum[24]%locks] }

// board returns a flight that is the caller's to land, or, once that of another
// has landed, nil.
func (c *tokenCache) board(ctx context.Context, sum *tokenSum) *flight {
	table := c.opened()
	list := table.flightsOf(sum)
	list.mu.Lock()
	for f := list.first; f != nil; f = f.next {
		if f.sum != *sum {
			continue
		}
		if f.done == nil {
			f.done = make(chan struct{})
		}
		done := f.done
		list.mu.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
		}
		return nil
	}
	f := &flight{sum: *sum, next: list.first}
	list.first = f
	list.mu.Unlock()
	return f
}

// land ends a flight.
func (c *tokenCache) land(f *flight) {
	table := c.table.Load()
	list := table.flightsOf(&f.sum)
	list.mu.Lock()
	defer list.mu.Unlock()
	for at := &list.first; *at != nil; at = &(*at).next {
		if *at == f {
			*at = f.next
			break
		}
	}
	if f.done != nil {
		close(f.done)
	}
}
