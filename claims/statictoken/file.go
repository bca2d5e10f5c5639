package statictoken

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

const (
	readTimeout = 5 * time.Second
	maxWaiting  = 4096
	// settled is how old a change must be for the file's time to tell it from
	// the next: file systems count in ticks of up to two seconds.
	settled    = 3 * time.Second
	logAgain   = time.Minute
	fileName   = foreign.Name("statictoken: Config.File")
	theOneFile = "" // the key of what is asked about
)

// file is a file of tokens, looked at again while it is in use.
type file struct {
	path    string
	refresh time.Duration
	as      *meaning
	logger  *slog.Logger

	table  atomic.Pointer[table] // the last good one, nil before there is any
	desk   *asked.Desk[string, *table]
	line   *asked.Line
	faults faults
}

func newFile(cfg Config, as *meaning) *file {
	f := &file{path: cfg.File, refresh: cfg.Refresh, as: as, logger: cfg.Logger}
	f.line = asked.NewLine(asked.Limits{
		Calls: 1, Keys: 1, Requests: maxWaiting, Timeout: readTimeout, Total: readTimeout,
	})
	f.desk = asked.New(fileName, f.look, f.settle)
	return f
}

// current returns what the file says: the last good one if it is broken, or
// cannot be looked at.
func (f *file) current(ctx context.Context) (*table, error) {
	if t := f.table.Load(); t != nil && t.term.State(clock.Now()) == asked.Fresh {
		return t, nil
	}
	t, _, err := f.desk.Answer(ctx, func() (*table, *asked.Question[*table], error) {
		last := f.table.Load()
		var term *asked.Term
		if last != nil {
			term = &last.term
		}
		return f.desk.Find(theOneFile, func(k string) string { return k }, last, term, f.line)
	})
	if last := f.table.Load(); err == asked.ErrBusy && last != nil {
		return last, nil // who looks at it has not come back
	}
	return t, err
}

// look looks at the file, and reads it if it has changed.
func (f *file) look(_ context.Context, _ string) (*table, error) {
	began := clock.Now()
	info, err := os.Stat(f.path)
	if err != nil {
		return nil, err
	}
	t := f.table.Load()
	if t == nil || !t.stamp.isOf(info) {
		if t, err = f.read(); err != nil {
			return nil, err
		}
	}
	t.term.Begin(began, f.refresh*3/4, f.refresh)
	return t, nil
}

func (f *file) read() (*table, error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	info, err := opened.Stat() // before it is read: a change meanwhile shows next time
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(opened, maxFileSize+1))
	if err != nil {
		return nil, err
	}
	t, err := parse(text, f.as)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	t.stamp, t.sum = stampOf(info), sha256.Sum256(text)
	if last := f.table.Load(); last != nil && last.sum == t.sum {
		t.tokens = last.tokens // what is known of callers goes on
	}
	return t, nil
}

// settle keeps what came of a look. It is called with the lock held.
func (f *file) settle(_ string, t *table, err error) (*table, error) {
	last := f.table.Load()
	if err != nil {
		if f.faults.isNew(err) {
			f.log(slog.LevelError, "the file of tokens cannot be used",
				"error", err, "last_good_one", last != nil)
		}
		if last == nil {
			return nil, err
		}
		last.term.Begin(clock.Now(), f.refresh*3/4, f.refresh)
		return last, nil
	}
	f.table.Store(t)
	if f.faults.end() || last == nil || t.sum != last.sum {
		f.log(slog.LevelInfo, "the file of tokens is in use", "tokens", len(t.tokens))
	}
	return t, nil
}

// log logs on a goroutine of its own, as the lock is held.
func (f *file) log(level slog.Level, message string, args ...any) {
	logger := f.logger
	if logger == nil {
		logger = slog.Default()
	}
	args = append(args, "file", f.path)
	go func() {
		_ = foreign.Call(foreign.Name("statictoken: Config.Logger"), func() error {
			logger.Log(context.Background(), level, "statictoken: "+message, args...)
			return nil
		})
	}()
}

// stamp tells one state of a file from the next.
type stamp struct {
	info fs.FileInfo // nil if it says nothing
}

// stampOf returns the stamp of a file that is about to be read.
func stampOf(info fs.FileInfo) stamp {
	if time.Since(info.ModTime()) < settled {
		return stamp{}
	}
	return stamp{info}
}

func (s stamp) isOf(info fs.FileInfo) bool {
	return s.info != nil && os.SameFile(s.info, info) && s.info.Size() == info.Size() &&
		s.info.ModTime().Equal(info.ModTime())
}

// faults say what was told to the log of a file, so that it is not told each
// time. They are guarded by the lock of the desk.
type faults struct {
	last string
	at   time.Time
}

// isNew reports whether a fault is to be told.
func (l *faults) isNew(err error) bool {
	text := err.Error()
	if text == l.last && time.Since(l.at) < logAgain {
		return false
	}
	l.last, l.at = text, time.Now()
	return true
}

// end reports whether there was a fault, which is over.
func (l *faults) end() bool {
	was := l.last != ""
	*l = faults{}
	return was
}
