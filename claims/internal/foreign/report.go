package foreign

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Reports logs the panics of a user's code that nobody is told of otherwise:
// one a second at most, with how many there were since the last, so that a bug
// which every request meets does not fill the log. The zero value is ready for
// use, and safe for concurrent use.
type Reports struct {
	last   atomic.Int64 // nanoseconds since begin, from 1; zero for none
	unsaid atomic.Int64 // since the last line
}

var begin = time.Now()

// Call calls f on the caller's goroutine, and logs its panic.
func (r *Reports) Call(name fmt.Stringer, f func()) {
	err := Call(name, func() error {
		f()
		return nil
	})
	if err != nil {
		r.log(err)
	}
}

func (r *Reports) log(err error) {
	now, last := int64(time.Since(begin))+1, r.last.Load()
	if last != 0 && now-last < int64(time.Second) || !r.last.CompareAndSwap(last, now) {
		r.unsaid.Add(1)
		return
	}
	// The logger is the user's as well.
	_ = Call(Name("slog.Default"), func() error {
		slog.Error("claims: code of this program's own panicked",
			"error", err, "panics", r.unsaid.Swap(0)+1)
		return nil
	})
}
