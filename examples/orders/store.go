package main

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	maxOrders = 1000
	maxItem   = 100
)

var (
	errInvalidOrder = errors.New(
		"an order needs an item, of 1 to 100 bytes, and a quantity of at least 1")
	errNotFound  = errors.New("there is no such order")
	errStoreFull = errors.New("there are too many orders: delete one first")
	errStopping  = errors.New("the service is stopping")
)

// order is one order. It is immutable.
type order struct {
	// Number counts the orders from 1. It is never used again.
	Number    uint64    `json:"-"`
	ID        string    `json:"id"`
	Item      string    `json:"item"`
	Quantity  int32     `json:"quantity"`
	CreatedAt time.Time `json:"created_at"`
}

// store keeps up to 1000 orders in memory. It is safe for concurrent use.
type store struct {
	mu      sync.Mutex // guards the fields below
	last    uint64
	orders  []order       // by number
	added   chan struct{} // closed when an order is added, and replaced
	stopped chan struct{} // closed by stop
}

func newStore() *store {
	return &store{added: make(chan struct{}), stopped: make(chan struct{})}
}

// all returns the orders, the oldest first.
func (s *store) all() []order {
	orders, _ := s.after(0)
	return orders
}

// get returns the order, or errNotFound.
func (s *store) get(id string) (order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return order{}, errNotFound
	}
	return s.orders[i], nil
}

// add stores an order. The error is errInvalidOrder or errStoreFull.
func (s *store) add(item string, quantity int32) (order, error) {
	if item == "" || len(item) > maxItem || quantity < 1 {
		return order{}, errInvalidOrder
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.orders) >= maxOrders {
		return order{}, errStoreFull
	}
	s.last++
	o := order{
		Number:    s.last,
		ID:        strconv.FormatUint(s.last, 10),
		Item:      item,
		Quantity:  quantity,
		CreatedAt: time.Now().UTC().Truncate(time.Millisecond),
	}
	s.orders = append(s.orders, o)
	close(s.added)
	s.added = make(chan struct{})
	return o, nil
}

// remove removes the order, or returns errNotFound.
func (s *store) remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(id)
	if i < 0 {
		return errNotFound
	}
	s.orders = slices.Delete(s.orders, i, i+1)
	return nil
}

// index is called with mu held. It returns -1 if there is no such order.
func (s *store) index(id string) int {
	return slices.IndexFunc(s.orders, func(o order) bool { return o.ID == id })
}

// follow calls send for every order with a number above last, then for each new
// one as it is added, until send fails, ctx ends or the store is stopped. The
// error says which: that of send, the cause of ctx, or errStopping.
//
// No queue grows while send is slow: an order deleted before its turn is left
// out.
func (s *store) follow(ctx context.Context, last uint64, send func(order) error) error {
	for {
		orders, added := s.after(last)
		for _, o := range orders {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := send(o); err != nil {
				return err
			}
			last = o.Number
		}
		select {
		case <-added:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.stopped:
			return errStopping
		}
	}
}

// after returns the orders with a number above last, and a channel that is
// closed when there is another.
func (s *store) after(last uint64) ([]order, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := slices.BinarySearchFunc(s.orders, last+1, func(o order, number uint64) int {
		return cmp.Compare(o.Number, number)
	})
	return slices.Clone(s.orders[i:]), s.added
}

// stop ends every follow, from now on too. It is called once.
func (s *store) stop() { close(s.stopped) }
