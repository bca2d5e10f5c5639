package claimstest

import (
	"crypto/fips140"
	"crypto/rand"
	"sync"
)

// Go's FIPS 140-3 module takes its entropy from the jitter of the clock. In a
// bubble of testing/synctest the clock stands still, and the module panics. In
// its mode, what needs randomness is therefore done by a goroutine that is in
// no bubble, as it has started with the program.
var outside = startOutside()

// worker does one thing at a time for whoever asks. Its channels belong to no
// bubble either: who waits for them does not let the time of a bubble go on.
type worker struct {
	mu   sync.Mutex // held from do to done
	do   chan func()
	done chan struct{}
}

// startOutside returns nil where nobody needs a worker.
func startOutside() *worker {
	if !fips140.Enabled() {
		return nil
	}
	w := &worker{do: make(chan func()), done: make(chan struct{})}
	go func() {
		for f := range w.do {
			f()
			w.done <- struct{}{}
		}
	}()
	return w
}

// randomly calls f, which may read from crypto/rand.
func randomly(f func()) {
	if outside == nil {
		f()
		return
	}
	outside.mu.Lock()
	defer outside.mu.Unlock()
	outside.do <- f
	<-outside.done
}

// randomText is [crypto/rand.Text].
func randomText() (text string) {
	randomly(func() { text = rand.Text() })
	return text
}
