package receiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// Table is where news goes: a [*revocation.Table]. Revoke returns once the
// entry counts.
type Table interface {
	Revoke(ctx context.Context, entry revocation.Entry) error
}

// Event is something that a receiver was sent.
type Event struct {
	// Issuer is who sent it, empty if that was not verified.
	Issuer string
	// Outcome is "applied", "ignored" for news that ends nothing, "repeated" or
	// "refused".
	Outcome string
	// Reason says in a fixed word why it was refused, empty otherwise.
	Reason string
	// Entries is how many entries it brought.
	Entries int
	// Err is the cause of a refusal, for operators: it may quote what was sent.
	Err error
}

// Stats counts what a receiver was sent.
type Stats struct {
	// Applied is the news that was acted on, Ignored what ends nothing,
	// Repeated what was received before, and Refused all else.
	Applied, Ignored, Repeated, Refused uint64
	// Last is when news of a verified sender was last received, zero if never:
	// repeated and ignored news, and the verification of a stream, included.
	Last time.Time
}

// inbox is what all receivers have.
type inbox struct {
	table    Table
	observer func(ctx context.Context, e Event)
	logger   *slog.Logger
	panics   foreign.Reports
	seen     seen

	applied, ignored, repeated, refused atomic.Uint64

	last  atomic.Int64 // Unix nanoseconds, zero for never
	mu    sync.Mutex   // guards quiet
	quiet time.Time    // until when no refusal is logged
}

// newInbox validates what all Configs have.
func newInbox(table Table, report func(format string, args ...any)) *inbox {
	if table == nil || isNil(table) {
		report("table is nil")
	}
	return &inbox{table: table}
}

// Stats returns what was received so far.
func (b *inbox) Stats() Stats {
	s := Stats{
		Applied: b.applied.Load(), Ignored: b.ignored.Load(),
		Repeated: b.repeated.Load(), Refused: b.refused.Load(),
	}
	if at := b.last.Load(); at != 0 {
		s.Last = time.Unix(0, at)
	}
	return s
}

// once has the entries acted on, unless the news was received before. until is
// how long it is remembered. The error is a [*refusal].
func (b *inbox) once(
	ctx context.Context, n *news, until time.Time, entries []revocation.Entry,
) error {
	m := mark{n.from.Issuer, n.id}
	switch b.seen.begin(m, until) {
	case before:
		return refuse(reasonRepeated, fmt.Errorf("jti %.200q", n.id))
	case underWay:
		return refuse(reasonUnavailable, fmt.Errorf("jti %.200q is being received", n.id))
	}
	err := b.apply(ctx, entries)
	b.seen.end(m, err == nil)
	return err
}

// apply has the entries counted by the table, all of them if one fails. The
// error is a [*refusal].
func (b *inbox) apply(ctx context.Context, entries []revocation.Entry) error {
	var errs []error
	for _, entry := range entries {
		errs = append(errs, foreign.Call(foreign.Name("receiver: table"), func() error {
			return b.table.Revoke(ctx, entry)
		}))
	}
	if err := errors.Join(errs...); err != nil {
		return refuse(reasonUnavailable, err)
	}
	return nil
}

// tell counts an outcome and tells the observer. What has not verified is
// logged once a minute at most: whoever calls could fill the log.
func (b *inbox) tell(ctx context.Context, issuer string, entries int, err error) {
	e := Event{Issuer: issuer, Outcome: "applied", Entries: entries, Err: err}
	var refused *refusal
	switch {
	case errors.As(err, &refused) && refused.name == reasonRepeated.name:
		e.Outcome, e.Err = reasonRepeated.name, nil
		b.repeated.Add(1)
	case refused != nil:
		e.Outcome, e.Reason = "refused", refused.name
		b.refused.Add(1)
		if issuer != "" || b.mayLog() {
			b.log().WarnContext(ctx, "receiver: news was refused",
				"reason", e.Reason, "issuer", issuer, "error", err)
		}
	case entries == 0:
		e.Outcome = "ignored"
		b.ignored.Add(1)
	default:
		b.applied.Add(1)
		// The table logs what ends.
	}
	if issuer != "" {
		b.last.Store(time.Now().UnixNano())
	}
	if b.observer != nil {
		b.panics.Call(foreign.Name("receiver: Config.Observer"), func() { b.observer(ctx, e) })
	}
}

func (b *inbox) mayLog() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if now.Before(b.quiet) {
		return false
	}
	b.quiet = now.Add(time.Minute)
	return true
}

func (b *inbox) log() *slog.Logger {
	if b.logger != nil {
		return b.logger
	}
	return slog.Default()
}

// reporter collects what is wrong with a Config.
type reporter struct {
	of   string
	errs []error
}

func (r *reporter) report(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("receiver: "+r.of+": "+format, args...))
}
