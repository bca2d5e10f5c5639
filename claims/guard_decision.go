package claims

import (
	"context"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// Observer is told of decisions, each as it is made: for an audit log, for
// metrics, for seeing what a [ReportOnly] would do. It is called on the
// request's goroutine, must be quick, and safe for concurrent use. Which
// decisions are worth keeping is for it to say. If it panics, the decision
// stands, and [slog.Default] has the panic, one a second at most.
type Observer func(ctx context.Context, d Decision)

// Decision is the record of one decision: of an operation, unless Part is set.
// It has no token and nothing else that opens a door; Subject and ClientID may
// be personal data.
type Decision struct {
	Time     time.Time     // when it began
	Duration time.Duration // of verifying and deciding

	Protocol string // "HTTP" or "gRPC"
	// Operation is its name in the access table, empty if it has none or the
	// router tells none.
	Operation string
	// Part says that it is about a part of the request: an [Allowed], [Recheck]
	// or [Filter], by which nothing is refused unless the handler does so, or
	// the end of a stream.
	Part bool

	// Err is the refusal, nil if the caller is allowed. Its cause, which
	// [errors.Unwrap] returns, is for operators.
	Err *Error
	// Reported is the refusal that a [ReportOnly] would have been, nil if there
	// is none.
	Reported *Error
	// Requirement is what was needed.
	Requirement Requirement

	// Issuer is that of a verified token. Of one that was refused after its
	// issuer was found to be trusted it is the issuer as its Config names it,
	// an open segment included; nobody has proven then that the token is of
	// that issuer.
	Issuer string

	// Of a verified token, empty if none was: what a bad token says is not
	// known to be true.
	KeyID    string
	Subject  string
	ClientID string

	// Anonymous says that the request has no credential, and is for an
	// operation with [Optional].
	Anonymous bool
	// Seconds are the callers of the second credentials that were verified, nil
	// for none. [Error.Second] of Err says which of them was refused.
	Seconds []SecondCaller

	// Permissions is where the caller's permissions are from: "token", "cache"
	// for what the source has said before, "source" if it was asked or waited
	// for; empty if none were looked at.
	Permissions string
	// Remembered says that the token of an accepted request was verified
	// before, by this process, and not again.
	Remembered bool
}

// SecondCaller is what a [Decision] has of a second credential.
type SecondCaller struct{ Name, Issuer, KeyID, Subject, ClientID string }

// Outcome is one word for what came of it: a metric label. It is "allowed",
// "anonymous" if it was allowed without a credential, "no_token",
// "invalid_request", "invalid_token", "insufficient_authentication",
// "not_permitted", "unavailable", or "canceled" if the sender of the request
// went away before it was decided.
func (d Decision) Outcome() string {
	if d.Err == nil && d.Anonymous {
		return "anonymous"
	}
	if d.Err == nil {
		return "allowed"
	}
	return outcomeOf(d.Err)
}

func outcomeOf(refusal *Error) string {
	if refusal.reason == ReasonCanceled {
		return "canceled"
	}
	switch refusal.class {
	case ErrNoToken:
		return "no_token"
	case ErrInvalidRequest:
		return "invalid_request"
	case ErrInsufficientAuthentication:
		return "insufficient_authentication"
	case ErrInsufficientScope, ErrForbidden:
		return "not_permitted"
	case ErrUnavailable:
		return "unavailable"
	}
	return "invalid_token"
}

// tell tells the observer, if there is one, how a query came out: d has what
// that does not know.
func (c *call) tell(q *query, needs Requirement, err error, d Decision) {
	if !c.observed() {
		return
	}
	d.Protocol, d.Operation, d.Requirement = c.operation.Protocol, c.operation.Name, needs
	d.Reported, d.Permissions = q.reported, q.origin
	d.Issuer, d.KeyID = c.caller.issuer, c.caller.keyID
	d.Subject, d.ClientID = c.caller.subject, c.caller.clientID
	d.Anonymous, d.Seconds = c.anonymous, c.seconds.callers()
	if err != nil {
		d.Err = AsError(err)
	}
	c.guard.report(q.ctx, d)
}

// callers returns those whose credentials were verified, by name.
func (s *seconds) callers() []SecondCaller {
	var list []SecondCaller
	for c := s.all(); c != nil; c = c.before {
		if f := c.caller.of(); !c.anonymous {
			list = append(list, SecondCaller{c.name, f.issuer, f.keyID, f.subject, f.clientID})
		}
	}
	slices.SortFunc(list, func(a, b SecondCaller) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// secondsAttr returns a group with a group for each name.
func secondsAttr(list []SecondCaller) slog.Attr {
	groups := make([]slog.Attr, len(list))
	for i, second := range list {
		var attrs []slog.Attr
		for _, attr := range []slog.Attr{
			slog.String("issuer", second.Issuer), slog.String("key_id", second.KeyID),
			slog.String("subject", second.Subject), slog.String("client_id", second.ClientID),
		} {
			if attr.Value.String() != "" {
				attrs = append(attrs, attr)
			}
		}
		groups[i] = slog.Attr{Key: second.Name, Value: slog.GroupValue(attrs...)}
	}
	return slog.Attr{Key: "seconds", Value: slog.GroupValue(groups...)}
}

// report tells the observer.
func (g *Guard) report(ctx context.Context, d Decision) {
	if g == nil || g.observer == nil {
		return
	}
	if d.Issuer == "" && d.Err != nil {
		d.Issuer = d.Err.issuer
	}
	if d.Duration == 0 {
		d.Duration = time.Since(d.Time)
	}
	g.panics.Call(foreign.Name("claims: Observer"), func() { g.observer(ctx, d) })
}

// LogDecisions returns an [Observer] that logs each decision in one record: at
// level Info if it is allowed or refused, Debug if so and of a part, or if the
// sender of the request went away, Warn if a [ReportOnly] would have refused
// it, and Error if it could not be decided. Nil means [slog.Default].
//
// The record has the cause of a refusal, on one line of at most 500 bytes:
// which claim it was, the error of a permission source, the panic of a function
// and where. Errors of functions of your own may quote what should not be
// logged. What looks like a token, and the user in a URL, is taken out. Its
// source, if a handler adds that, is the call of LogDecisions.
func LogDecisions(logger *slog.Logger) Observer {
	var caller [1]uintptr
	runtime.Callers(2, caller[:])
	return func(ctx context.Context, d Decision) {
		logger := logger
		if logger == nil {
			logger = slog.Default()
		}
		if level := d.level(); logger.Enabled(ctx, level) {
			r := slog.NewRecord(time.Now(), level, "access decision", caller[0])
			var room [maxAttrs]slog.Attr
			r.AddAttrs(d.attrs(room[:0])...)
			_ = logger.Handler().Handle(ctx, r) // as slog does
		}
	}
}

func (d Decision) level() slog.Level {
	switch {
	case d.Err != nil && d.Err.reason == ReasonCanceled:
		return slog.LevelDebug
	case d.Err != nil && d.Err.class == ErrUnavailable:
		return slog.LevelError
	case d.Reported != nil && d.Reported.reason != ReasonCanceled:
		return slog.LevelWarn
	case d.Part:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// maxAttrs is how many fields a Decision has at most.
const maxAttrs = 20

// attrs appends the fields of d that say something.
func (d *Decision) attrs(attrs []slog.Attr) []slog.Attr {
	attrs = append(attrs, slog.String("outcome", d.Outcome()))
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	if d.Err != nil {
		text("credential", d.Err.second)
		text("reason", string(d.Err.reason))
		text("cause", loggedCause(d.Err))
	}
	if d.Reported != nil {
		text("would_be", outcomeOf(d.Reported))
		text("would_be_credential", d.Reported.second)
		text("would_be_reason", string(d.Reported.reason))
		text("would_be_cause", loggedCause(d.Reported))
	}
	text("protocol", d.Protocol)
	text("operation", d.Operation)
	if d.Err == nil || d.Err.reason != ReasonUnlisted { // nothing is known to be needed
		text("requirement", d.Requirement.String())
	}
	if d.Part {
		attrs = append(attrs, slog.Bool("part", true))
	}
	text("issuer", d.Issuer)
	text("key_id", d.KeyID)
	text("subject", d.Subject)
	text("client_id", d.ClientID)
	if len(d.Seconds) > 0 {
		attrs = append(attrs, secondsAttr(d.Seconds))
	}
	text("permissions", d.Permissions)
	if d.Remembered {
		attrs = append(attrs, slog.Bool("remembered", true))
	}
	return append(attrs, slog.Duration("duration", d.Duration))
}
