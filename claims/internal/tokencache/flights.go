package tokencache

import (
	"context"
	"sync"
)

// flights are the tokens that are being verified, so that identical tokens that
// arrive together are verified once.
type flights struct {
	mu    sync.Mutex
	first *Flight // a list: there are hardly ever two
}

// Flight is a token that is being verified.
type Flight struct {
	sum  Sum
	next *Flight
	done chan struct{} // nil until somebody waits
}

func (t *table[V]) flightsOf(sum *Sum) *flights { return &t.flights[sum[0]%locks] }

// Board starts a flight, which the caller must land. If the same token is
// already in flight, it waits for that, no longer than ctx allows, and returns
// nil.
func (c *Cache[V]) Board(ctx context.Context, sum *Sum) *Flight {
	list := c.opened().flightsOf(sum)
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
	f := &Flight{sum: *sum, next: list.first}
	list.first = f
	list.mu.Unlock()
	return f
}

// Land ends a flight.
func (c *Cache[V]) Land(f *Flight) {
	list := c.table.Load().flightsOf(&f.sum)
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

// InFlight returns how many tokens are being verified.
func (c *Cache[V]) InFlight() (n int) {
	table := c.table.Load()
	if table == nil {
		return 0
	}
	for i := range table.flights {
		list := &table.flights[i]
		list.mu.Lock()
		for f := list.first; f != nil; f = f.next {
			n++
		}
		list.mu.Unlock()
	}
	return n
}
