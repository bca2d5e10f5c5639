package jwks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// grace is how long a source whose time is up is waited for to say so itself.
const grace = 50 * time.Millisecond

// answer is for how long what a source said may be relied on.
type answer struct {
	fresh  time.Duration
	backup bool // the first source failed
}

// ask asks the sources in order, each within its share of the time that is
// left. The error is that of those that failed, also where a later one
// answered.
func (c *Cache) ask(sources []Source, force bool) (*Set, answer, error) {
	end := time.Now().Add(c.timeout)
	var errs []error
	for i := range sources {
		share := time.Until(end) / time.Duration(len(sources)-i)
		set, life, err := c.call(i, force, share)
		if err == nil {
			life = min(max(cmp.Or(life, c.defaultMaxAge), minAge), maxAge)
			return set, answer{life, i > 0}, errors.Join(errs...)
		}
		errs = append(errs, err)
	}
	return nil, answer{}, errors.Join(errs...)
}

// call asks one source, and waits no longer than it may take even if it does
// not heed its context, which is not that of the caller that happened to be
// first: its cancellation must not fail the others. A source is not asked again
// while it has not returned.
func (c *Cache) call(i int, force bool, share time.Duration) (*Set, time.Duration, error) {
	if c.isDeaf(i) {
		return nil, 0, &fault{FaultTimeout, errors.New("jwks: the source has not returned yet")}
	}
	// What arrives long after its time was overtaken by sleep, and may be as
	// old.
	tooLate := instantOf(time.Now()).add(2*share + time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), share)
	defer cancel()
	done := make(chan result, 1)
	c.setDeaf(i, true) // until it has returned
	go func() {
		r := result{err: &fault{FaultSource, errors.New("jwks: the source did not return")}}
		// A panic here, over an answer from outside, would end the process.
		defer func() {
			if p := recover(); p != nil {
				r = result{err: panicked("the source", p)}
			}
			c.setDeaf(i, false)
			done <- r
		}()
		r.set, r.life, r.err = c.sources[i].KeySet(ctx, force)
		if r.err == nil && r.set == nil {
			r.err = &fault{FaultSource, errors.New("jwks: the source returned no key set")}
		}
	}()
	r := inTime(wait(ctx, done), tooLate)
	return r.set, r.life, r.err
}

// result is what a source returned.
type result struct {
	set  *Set
	life time.Duration
	err  error
}

func wait(ctx context.Context, done <-chan result) result {
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case r := <-done: // what it has to say of this tells more
		return r
	case <-late.C:
		return result{err: &fault{FaultTimeout, fmt.Errorf("jwks: the source: %w", ctx.Err())}}
	}
}

func inTime(r result, tooLate instant) result {
	if r.err == nil && tooLate.reached(time.Now()) {
		return result{err: &fault{FaultTimeout, errors.New(
			"jwks: the machine slept, or its clock was set, during the fetch")}}
	}
	return r
}

// panicked is the error of user code that did.
func panicked(who string, p any) error {
	return &fault{FaultSource, fmt.Errorf("jwks: %s panicked: %v\n%s", who, p, debug.Stack())}
}

func (c *Cache) isDeaf(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deaf[i]
}

func (c *Cache) setDeaf(i int, deaf bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf[i] = deaf
}
