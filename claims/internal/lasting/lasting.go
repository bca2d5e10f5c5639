// Package lasting ends what is open when its time has come or news says so, by
// one timer and no goroutine for all of it.
package lasting

import (
	"container/heap"
	"runtime"
	"sync"
	"time"
)

// Registry knows what is open. [New] makes one. It is safe for concurrent use.
type Registry struct {
	subscribe func(told func()) (cancel func()) // nil for no news

	mu     sync.Mutex // guards the fields below, and those of items
	all    []*Item
	ends   ends
	timer  *time.Timer
	due    time.Time // of the timer, zero if it is not running
	cancel func()    // the subscription, nil for none

	news, looking bool // news has come; somebody looks because of it
}

// Item is something that is open.
type Item struct {
	// Look is called once the time has come, and after news: it says whether
	// the item has to end, and sees to it. It may be called side by side, and
	// while the item is being removed. It must not block.
	Look func()

	until         time.Time // zero for ever
	place, inEnds int       // in all, and among those that end; from 1
}

// New returns a Registry that looks at everything after news of subscribe,
// which may be nil, and is subscribed to only while something is open.
func New(subscribe func(told func()) (cancel func())) *Registry {
	return &Registry{subscribe: subscribe}
}

// Add adds an item, which ends at a time, zero for never.
func (r *Registry) Add(i *Item, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, i)
	i.place = len(r.all)
	r.endsAt(i, until)
	if r.subscribe != nil && r.cancel == nil {
		r.cancel = r.subscribe(r.told)
	}
}

// Move changes the time at which an item ends. It does nothing once the item
// has been removed.
func (r *Registry) Move(i *Item, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i.place > 0 {
		r.endsAt(i, until)
	}
}

// endsAt sets the time of an item. The lock is held.
func (r *Registry) endsAt(i *Item, until time.Time) {
	i.until = until
	switch {
	case until.IsZero() && i.inEnds > 0:
		heap.Remove(&r.ends, i.inEnds-1)
	case until.IsZero():
	case i.inEnds > 0:
		heap.Fix(&r.ends, i.inEnds-1)
	default:
		heap.Push(&r.ends, i)
	}
	r.wind(time.Now())
}

// Remove removes an item. It may be looked at for a moment yet.
func (r *Registry) Remove(i *Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i.place == 0 {
		return
	}
	if i.inEnds > 0 {
		heap.Remove(&r.ends, i.inEnds-1)
	}
	last := r.all[len(r.all)-1]
	r.all[i.place-1], last.place = last, i.place
	r.all[len(r.all)-1] = nil
	r.all = r.all[:len(r.all)-1]
	i.place = 0
	if len(r.all) > 0 {
		return
	}
	// What thousands needed once is not kept for none.
	r.all, r.ends = nil, nil
	if r.timer != nil {
		r.timer.Stop()
		r.due = time.Time{}
	}
	if r.cancel != nil {
		r.cancel()
		r.cancel = nil
	}
}

// Len returns how many items there are.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all)
}

// clocks is how long a timer runs at most: the time by which things end can be
// set while it does.
const clocks = time.Minute

// wind sets the timer for what ends first. The lock is held.
func (r *Registry) wind(now time.Time) {
	if len(r.ends) == 0 {
		return
	}
	wait := min(max(r.ends[0].until.Sub(now), 0), clocks)
	due := now.Add(wait)
	if !r.due.IsZero() && !due.Before(r.due) {
		return
	}
	r.due = due
	if r.timer == nil {
		r.timer = time.AfterFunc(wait, r.expire)
	} else {
		r.timer.Reset(wait)
	}
}

// expire looks at what has come to its end.
func (r *Registry) expire() {
	var over []*Item
	r.mu.Lock()
	now := time.Now().Round(0) // by the clock that ends are told by
	for len(r.ends) > 0 && !now.Before(r.ends[0].until) {
		over = append(over, heap.Pop(&r.ends).(*Item))
	}
	r.due = time.Time{}
	r.wind(time.Now())
	r.mu.Unlock()
	look(over)
}

// told looks at everything. Of several pieces of news at a time, the ones that
// come while everything is looked at have it looked at once more.
func (r *Registry) told() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.news = true; !r.looking && len(r.all) > 0 {
		r.looking = true
		go r.lookAtAll()
	}
}

func (r *Registry) lookAtAll() {
	for {
		r.mu.Lock()
		if !r.news || len(r.all) == 0 {
			r.news, r.looking = false, false
			r.mu.Unlock()
			return
		}
		r.news = false
		all := append([]*Item(nil), r.all...)
		r.mu.Unlock()
		look(all)
	}
}

// atOnce is how many items are worth a goroutine of their own.
const atOnce = 256

// look looks at items, at many with all processors.
func look(items []*Item) {
	parts := max(min(runtime.GOMAXPROCS(0), len(items)/atOnce), 1)
	var others sync.WaitGroup
	defer others.Wait()
	for part := range parts {
		mine := items[part*len(items)/parts : (part+1)*len(items)/parts]
		lookAtMine := func() {
			for _, i := range mine {
				i.Look()
			}
		}
		if part+1 < parts {
			others.Go(lookAtMine)
		} else {
			lookAtMine()
		}
	}
}

// ends are items by when they end. It is a [heap.Interface].
type ends []*Item

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].until.Before(e[j].until) }

func (e ends) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].inEnds, e[j].inEnds = i+1, j+1
}

func (e *ends) Push(x any) {
	i := x.(*Item)
	*e = append(*e, i)
	i.inEnds = len(*e)
}

func (e *ends) Pop() any {
	last := len(*e) - 1
	i := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	i.inEnds = 0
	return i
}
