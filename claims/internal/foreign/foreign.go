// Package foreign calls code of the library's users: it may panic, take too
// long, or end its goroutine, and none of it may be felt beyond the answer.
package foreign

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// PanicError is a panic of a user's code. It is for operators: the value may
// quote what a request holds.
type PanicError struct {
	Name  string // of what was called, in its author's words
	Value any
	Stack []byte
}

// Error says what panicked, with what and where.
func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked: %v\n%s", e.Name, e.Value, e.Stack)
}

// Brief is Error on one line, with only the calls that led to the panic.
func (e *PanicError) Brief() string {
	return fmt.Sprintf("%s panicked: %v%s", e.Name, e.Value, e.where())
}

// Is reports whether the value is an error that matches target. There is no
// Unwrap: the methods of that error are the user's as well, and may panic.
func (e *PanicError) Is(target error) (matches bool) {
	defer func() { _ = recover() }()
	err, ok := e.Value.(error)
	return ok && errors.Is(err, target)
}

// where returns the last calls before the panic, those of the runtime left out.
func (e *PanicError) where() string {
	const shown = 3
	lines := strings.Split(string(e.Stack), "\n")
	panicked := slices.IndexFunc(lines, func(line string) bool {
		return strings.HasPrefix(line, "panic(")
	})
	if panicked < 0 {
		return ""
	}
	var b strings.Builder
	// Each call is a line, and one with its place.
	for i, n := panicked+2, 0; i+1 < len(lines) && n < shown; i += 2 {
		name := lines[i][:max(strings.LastIndexByte(lines[i], '('), 0)] // without its arguments
		place, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " +0x")
		if strings.HasPrefix(name, "runtime.") || name == "" {
			continue
		}
		fmt.Fprintf(&b, ", at %s %s", name, place)
		n++
	}
	return b.String()
}

var (
	// ErrLate is why a call is given up that does not heed its context.
	ErrLate = errors.New("took too long")
	// ErrExited is what a call comes to that ends its goroutine.
	ErrExited = errors.New("ended its goroutine")
)

// Name is a name of what is called: anything that has one as its String is one,
// which is asked for only if there is something to tell.
type Name string

// String returns the name.
func (n Name) String() string { return string(n) }

// Recover is deferred by whoever calls a user's code: it makes a panic an
// error.
func Recover(name fmt.Stringer, err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Name: name.String(), Value: v, Stack: debug.Stack()}
	}
}

// Call calls f on the caller's goroutine.
func Call(name fmt.Stringer, f func() error) (err error) {
	defer Recover(name, &err)
	return f()
}

// Within calls f on a goroutine of its own and waits for it no longer than the
// timeout, whether f heeds its context or not. release is called when f has
// returned, however late; nil is nothing.
func Within[T any](
	ctx context.Context, name fmt.Stringer, timeout time.Duration, release func(),
	f func(context.Context) (T, error),
) (T, error) {
	type result struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	done := make(chan result, 1)
	go func() {
		r := result{err: fmt.Errorf("%s %w", name, ErrExited)}
		defer func() {
			if release != nil {
				release()
			}
			done <- r
		}()
		defer Recover(name, &r.err)
		value, err := f(ctx)
		r = result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, fmt.Errorf("%s %w: %w", name, ErrLate, ctx.Err())
	}
}
