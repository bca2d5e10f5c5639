package receiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// LogoutConfig says whose logouts a [Logout] takes, and what they end.
type LogoutConfig struct {
	// Senders are the authorization servers. Required.
	Senders []Sender

	// Observer is told of each request, if it is not nil. It must be quick and
	// safe for concurrent use; a panic is recovered.
	Observer func(ctx context.Context, e Event)

	// Logger gets a line for each refusal of what a sender has signed, and of
	// what nobody has one a minute at most. The table logs what ends. Nil means
	// [slog.Default].
	Logger *slog.Logger
}

// Logout receives logout tokens (OpenID Connect Back-Channel Logout 1.0 section
// 2.5). It is an http.Handler for POST, safe for concurrent use. [NewLogout]
// makes one.
//
// A token is of type "logout+jwt", or has no type or "JWT", as some servers
// send; its "iat" is at most 5 minutes old and its "exp", if it has one, has
// not passed; it names "sub", "sid" or both; it has the logout event and no
// "nonce"; its "jti" is new. It ends the session, or, where it names none, all
// tokens of the subject that were issued until its "iat". The answer is 200, or
// 400 with a JSON object that has "error" and "error_description", also where
// the keys of the issuer are not at hand (section 2.8).
type Logout struct {
	*inbox
	senders map[string]*sender
}

// NewLogout returns a Logout that tells the table. It does no I/O. The error
// reports everything that is wrong with its arguments.
func NewLogout(table Table, cfg LogoutConfig) (*Logout, error) {
	r := reporter{of: "NewLogout"}
	l := &Logout{
		inbox:   newInbox(table, r.report),
		senders: compileSenders(cfg.Senders, r.report),
	}
	l.observer, l.logger = cfg.Observer, cfg.Logger
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return l, nil
}

// ServeHTTP receives one logout token.
func (l *Logout) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isPost(w, r) {
		return
	}
	text, err := readForm(w, r)
	if err == nil {
		err = l.receive(r.Context(), text)
	} else {
		l.tell(r.Context(), "", 0, err)
	}
	var refused *refusal
	switch {
	case err == nil:
		w.WriteHeader(http.StatusOK)
	case errors.As(err, &refused) && refused.name == reasonUnavailable.name:
		answer(w, http.StatusBadRequest, map[string]string{
			"error": "temporarily_unavailable", "error_description": refused.text,
		})
	default:
		answer(w, http.StatusBadRequest, map[string]string{
			"error": "invalid_request", "error_description": refused.text,
		})
	}
}

// readForm returns the one logout_token of the body. The query is none of it.
func readForm(w http.ResponseWriter, r *http.Request) (string, error) {
	if err := wantType(r, "application/x-www-form-urlencoded"); err != nil {
		return "", err
	}
	body, err := readBody(w, r)
	if err != nil {
		return "", err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", refuse(reasonRequest, errors.New("the body is not a form"))
	}
	if tokens := form["logout_token"]; len(tokens) == 1 {
		return tokens[0], nil
	}
	return "", refuse(reasonRequest, errors.New("there is not one logout_token"))
}

const (
	logoutType  = "logout+jwt"
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
	// logoutAge is how old a logout token may be: servers are to give it two
	// minutes (section 2.4), and some give it no "exp".
	logoutAge = 5 * time.Minute
)

// receive verifies a token and has it acted on. The error is a [*refusal].
func (l *Logout) receive(ctx context.Context, text string) error {
	n, err := open(ctx, l.senders, text, checkLogout)
	if err != nil {
		l.tell(ctx, "", 0, err)
		return err
	}
	entries, err := l.entries(n)
	if err == nil {
		err = l.once(ctx, n, n.issued.Add(logoutAge+leeway), entries)
	}
	l.tell(ctx, n.from.Issuer, len(entries), err)
	return err
}

// checkLogout is section 2.6, but for what all news is asked.
func checkLogout(t *signed.Token) error {
	if t.Type != "" && !t.IsType(logoutType) && !t.IsType("JWT") {
		return refuse(reasonType, fmt.Errorf("typ is %.100q", t.Type))
	}
	c := t.Claims
	if c.Has("nonce") { // it makes an ID token
		return refuse(reasonClaims, errors.New("there is a nonce"))
	}
	events, err := c.Object("events")
	if err != nil {
		return refuse(reasonClaims, err)
	}
	if !events.Has(logoutEvent) {
		return refuse(reasonClaims, errors.New("events has no logout"))
	}
	if _, err := events.Object(logoutEvent); err != nil {
		return refuse(reasonClaims, err)
	}
	issued, err := c.Time("iat")
	if err != nil {
		return refuse(reasonMalformed, err)
	}
	expires, err := c.Time("exp")
	if err != nil {
		return refuse(reasonMalformed, err)
	}
	now := time.Now()
	if now.After(issued.Add(logoutAge+leeway)) ||
		!expires.IsZero() && !now.Before(expires.Add(leeway)) {
		return refuse(reasonTime, errors.New("it has expired"))
	}
	return nil
}

// entries returns what a logout ends, for each issuer that the sender speaks
// for.
func (l *Logout) entries(n *news) ([]revocation.Entry, error) {
	subject, err := identifier(n.token.Claims, "sub")
	if err != nil {
		return nil, err
	}
	session, err := identifier(n.token.Claims, "sid")
	if err != nil {
		return nil, err
	}
	if subject == "" && session == "" {
		return nil, refuse(reasonClaims, errors.New("there is neither sub nor sid"))
	}
	var entries []revocation.Entry
	for _, issuer := range n.from.TokenIssuers {
		if session != "" {
			entries = append(entries, revocation.Entry{Issuer: issuer, Session: session})
		}
		if subject != "" {
			entries = append(entries, revocation.Entry{
				Issuer: issuer, Subject: subject, Sessionless: session != "",
				Before: until(n.issued),
			})
		}
	}
	return entries, nil
}

// identifier returns a claim that names something: a string, and no endless
// one.
func identifier(o signed.Object, name string) (string, error) {
	value, err := o.String(name)
	if err != nil {
		return "", refuse(reasonMalformed, err)
	}
	if o.Has(name) && value == "" || len(value) > maxText {
		return "", refuse(reasonMalformed, fmt.Errorf("%q is empty or too long", name))
	}
	return value, nil
}
