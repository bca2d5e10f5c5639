package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// patience is how long nothing is said.
const patience = time.Second

// waiting says what is waited for, once it takes long, and every few seconds
// after that. The function that it returns ends it.
func waiting(w io.Writer, patience time.Duration, what string) (done func()) {
	ended := make(chan struct{})
	var teller sync.WaitGroup
	teller.Go(func() {
		start := time.Now()
		tick := time.NewTicker(patience)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				fmt.Fprintf(w, "… %s, %.0f s so far\n", what, time.Since(start).Seconds())
			}
		}
	})
	return sync.OnceFunc(func() {
		close(ended)
		teller.Wait()
	})
}
