package receiver

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// EventsConfig says whose events an [Events] takes, and what they end.
type EventsConfig struct {
	// Senders are the transmitters. Required.
	Senders []Sender

	// Authorization is the value of the field Authorization with which the
	// transmitters push, "Bearer " and a secret, as the stream's
	// "authorization_header" says (SSF section 6.1.1). Empty means that the
	// signature alone tells who they are.
	Authorization string

	// Resolve returns the "sub" that tokens have of a user whom an event names
	// in another way: by format ("email", "phone_number", "account", "did",
	// "uri", RFC 9493, or one of the sender's own) and value, which is the JSON
	// of the identifier where the format is not known. Empty means a user
	// nobody knows here, whose event ends nothing. ctx ends after 5 seconds; an
	// error and a panic have the sender try again. Nil means that events which
	// name users so are refused.
	Resolve func(ctx context.Context, format, value string) (subject string, err error)

	// State reports whether the "state" of a stream's verification is one that
	// was asked for, empty if it has none. Nil means that any is.
	State func(state string) bool

	// Observer is told of each request, if it is not nil. It must be quick and
	// safe for concurrent use; a panic is recovered.
	Observer func(ctx context.Context, e Event)

	// Logger gets a line for each refusal of what a sender has signed, and of
	// what nobody has one a minute at most, and for each change of a stream.
	// The table logs what ends. Nil means [slog.Default].
	Logger *slog.Logger
}

// Events receives security event tokens as RFC 8935 pushes them (OpenID Shared
// Signals Framework 1.0). It is an http.Handler for POST, safe for concurrent
// use. [NewEvents] makes one.
//
// A token is of type "secevent+jwt", has neither "exp" nor "sub" (SSF section
// 4.1), and names its subject in "sub_id", or "subject" of the event. These
// events end what the subject has, issued until their "event_timestamp", or the
// token's "iat":
//
//   - CAEP session-revoked, token-claims-change, credential-change,
//     assurance-level-change to a lower one, device-compliance-change to
//     "not-compliant" and risk-level-change to "HIGH";
//   - RISC account-disabled, account-purged, credential-compromise,
//     account-credential-change-required and sessions-revoked;
//   - tokens-revoked and token-revoked of the OAuth event types, as Google
//     sends them, where the subject is one of those below.
//
// Others end nothing and are acknowledged. A subject of format "iss_sub" is a
// user, "jwt_id" a token, "opaque" a user of the sender's, of session-revoked
// also a session; "aliases" are all that it lists. A complex subject is its
// session, with the tokens of its user that have no "sid"; or its user, of its
// application where it has one: what else it has, such as a device, is not
// known here, and more ends rather than less. Other formats are for
// EventsConfig.Resolve.
//
// The answer is 202 without a body, also for an event that was received before,
// as its sender may not have heard; or 400 with "err" (RFC 8935 section 2.4),
// or 503 where it cannot be decided and the sender is to try again.
type Events struct {
	*inbox
	senders       map[string]*sender
	authorization *[sha256.Size]byte
	resolve       func(ctx context.Context, format, value string) (string, error)
	state         func(state string) bool
}

// NewEvents returns an Events that tells the table. It does no I/O. The error
// reports everything that is wrong with its arguments.
func NewEvents(table Table, cfg EventsConfig) (*Events, error) {
	r := reporter{of: "NewEvents"}
	e := &Events{
		inbox:   newInbox(table, r.report),
		senders: compileSenders(cfg.Senders, r.report),
		resolve: cfg.Resolve, state: cfg.State,
	}
	e.observer, e.logger = cfg.Observer, cfg.Logger
	if cfg.Authorization != "" {
		sum := sha256.Sum256([]byte(cfg.Authorization))
		e.authorization = &sum
	}
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return e, nil
}

// ServeHTTP receives one security event token.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isPost(w, r) {
		return
	}
	text, err := e.readToken(w, r)
	if err == nil {
		err = e.receive(r.Context(), text)
	} else {
		e.tell(r.Context(), "", 0, err)
	}
	var refused *refusal
	switch {
	case err == nil:
		w.WriteHeader(http.StatusAccepted)
	case errors.As(err, &refused) && refused.name == reasonRepeated.name:
		w.WriteHeader(http.StatusAccepted)
	case refused.name == reasonUnavailable.name:
		askAgain(w)
	default:
		w.Header().Set("Content-Language", "en")
		answer(w, http.StatusBadRequest, map[string]string{
			"err": refused.err, "description": refused.text,
		})
	}
}

const (
	eventType = "secevent+jwt"
	// eventAge is how long an event is remembered. To act on one again after
	// that ends nothing more: it has its own time.
	eventAge = 24 * time.Hour
)

// readToken returns the body, if the request is authenticated.
func (e *Events) readToken(w http.ResponseWriter, r *http.Request) (string, error) {
	if e.authorization != nil {
		values := r.Header.Values("Authorization")
		if len(values) != 1 {
			return "", refuse(reasonSender, errors.New("there is not one Authorization"))
		}
		sum := sha256.Sum256([]byte(values[0]))
		if subtle.ConstantTimeCompare(sum[:], e.authorization[:]) != 1 {
			return "", refuse(reasonSender, errors.New("the value of Authorization is another"))
		}
	}
	if err := wantType(r, "application/"+eventType); err != nil {
		return "", err
	}
	body, err := readBody(w, r)
	return string(body), err
}

// receive verifies a token and has it acted on. The error is a [*refusal].
func (e *Events) receive(ctx context.Context, text string) error {
	n, err := open(ctx, e.senders, text, checkEvent)
	if err != nil {
		e.tell(ctx, "", 0, err)
		return err
	}
	entries, err := e.entries(ctx, n)
	if err == nil {
		err = e.once(ctx, n, time.Now().Add(eventAge), entries)
	}
	e.tell(ctx, n.from.Issuer, len(entries), err)
	return err
}

// checkEvent is SSF section 4.1, but for what all news is asked.
func checkEvent(t *signed.Token) error {
	if !t.IsType(eventType) {
		return refuse(reasonType, fmt.Errorf("typ is %.100q", t.Type))
	}
	for _, name := range []string{"exp", "sub"} { // they make another kind of token
		if t.Claims.Has(name) {
			return refuse(reasonClaims, fmt.Errorf("there is %q", name))
		}
	}
	events, err := t.Claims.Object("events")
	if err != nil {
		return refuse(reasonClaims, err)
	}
	if len(events.Names()) == 0 {
		return refuse(reasonClaims, errors.New("events has none"))
	}
	return nil
}

// entries returns what the events of a token end.
func (e *Events) entries(ctx context.Context, n *news) ([]revocation.Entry, error) {
	events, err := n.token.Claims.Object("events")
	if err != nil {
		return nil, refuse(reasonClaims, err)
	}
	var entries []revocation.Entry
	for _, uri := range events.Names() {
		event, err := events.Object(uri)
		if err != nil {
			return nil, refuse(reasonClaims, err)
		}
		own, err := e.entriesOf(ctx, n, uri, event)
		if err != nil {
			return nil, err
		}
		for _, entry := range own { // URIs of one token mean the same event
			if !contains(entries, entry) {
				entries = append(entries, entry)
			}
		}
	}
	return entries, nil
}

func contains(list []revocation.Entry, entry revocation.Entry) bool {
	for _, e := range list {
		if e == entry {
			return true
		}
	}
	return false
}

const (
	verification  = "https://schemas.openid.net/secevent/ssf/event-type/verification"
	streamUpdated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
)

// entriesOf returns what one event ends.
func (e *Events) entriesOf(
	ctx context.Context, n *news, uri string, event signed.Object,
) ([]revocation.Entry, error) {
	switch uri {
	case verification:
		return nil, e.verify(event)
	case streamUpdated:
		status, _ := event.String("status")
		why, _ := event.String("reason")
		e.log().WarnContext(ctx, "receiver: the sender has changed the stream of events",
			"issuer", n.from.Issuer, "status", clip(status), "reason", clip(why))
		return nil, nil
	}
	ends, err := endsSomething(uri, event)
	if err != nil || !ends {
		return nil, err
	}
	at, err := timeOf(event, n.issued)
	if err != nil {
		return nil, err
	}
	subject, err := n.token.Claims.Object("sub_id")
	if err == nil && !n.token.Claims.Has("sub_id") {
		subject, err = event.Object("subject")
	}
	if err != nil {
		return nil, refuse(reasonSubject, err)
	}
	s := subjects{e, n, uri, until(at)}
	return s.entries(ctx, subject, false)
}

// verify is SSF section 8.1.4.1.
func (e *Events) verify(event signed.Object) error {
	state, err := event.String("state")
	if err != nil {
		return refuse(reasonState, err)
	}
	if e.state == nil {
		return nil
	}
	expected := false
	err = foreign.Call(foreign.Name("receiver: EventsConfig.State"), func() error {
		expected = e.state(state)
		return nil
	})
	switch {
	case err != nil:
		return refuse(reasonUnavailable, err)
	case !expected:
		return refuse(reasonState, errors.New("the state is another"))
	}
	return nil
}

func clip(s string) string { return s[:min(len(s), 200)] }
