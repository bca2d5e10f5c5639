package revocation

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// Entry says what has ended: every token of the issuer that has all that the
// Entry names and was issued no later than Before. Its JSON is what replicas
// tell each other.
type Entry struct {
	// Issuer is "iss" of the tokens, byte for byte. Required, as a subject of
	// the same name at another issuer is somebody else.
	Issuer string `json:"issuer"`

	// What the tokens have: their ID ("jti"), session ("sid"), subject ("sub")
	// and client. Empty means any. With none of them, Before is required: it is
	// everything of the issuer.
	Token    string `json:"token,omitempty"`
	Session  string `json:"session,omitempty"`
	Subject  string `json:"subject,omitempty"`
	ClientID string `json:"client_id,omitempty"`

	// Sessionless is whether only tokens without a session are meant: of a user
	// whose one session has ended, nobody knows which session those are of. Not
	// allowed beside Session.
	Sessionless bool `json:"sessionless,omitempty"`

	// Before is when the last of the tokens was issued. "iat" has whole
	// seconds: a token of the same second has ended too, and one without "iat"
	// whenever it was issued. Zero means now, and of an Entry that names a
	// Token, whenever that was issued. It must not be more than 5 minutes
	// ahead.
	Before time.Time `json:"before,omitzero"`

	// Until is how long the Entry is kept. Zero means Config.MaxTokenLife, and
	// 5 minutes for the clocks, from Before. Name the end of a token that lives
	// longer, or it is accepted again.
	Until time.Time `json:"until,omitzero"`
}

// The most that an Entry's Before may be ahead, and its text be long.
const (
	maxAhead = 5 * time.Minute
	maxText  = 16 << 10
)

// complete returns the Entry with its times, or what is wrong with it.
func (e Entry) complete(now time.Time, life time.Duration) (Entry, error) {
	var errs []error
	if e.Issuer == "" {
		errs = append(errs, errors.New("Entry.Issuer is empty"))
	}
	if e.kind() == ofIssuer && e.Before.IsZero() {
		errs = append(errs, errors.New("Entry names nothing but the issuer: "+
			"Before is required to end everything of it"))
	}
	if e.Sessionless && e.Session != "" {
		errs = append(errs, errors.New("Entry has both Session and Sessionless"))
	}
	if e.Before.After(now.Add(maxAhead)) {
		errs = append(errs, fmt.Errorf("Entry.Before of %s is in the future",
			e.Before.UTC().Format(time.RFC3339)))
	}
	size := len(e.Issuer) + len(e.Token) + len(e.Session) + len(e.Subject) + len(e.ClientID)
	if size > maxText {
		errs = append(errs, fmt.Errorf("Entry of %d bytes is longer than %d", size, maxText))
	}
	if len(errs) > 0 {
		return Entry{}, errors.Join(errs...)
	}
	if e.Before.IsZero() && e.Token == "" {
		e.Before = now
	}
	if e.Until.IsZero() {
		from := e.Before
		if from.IsZero() {
			from = now
		}
		e.Until = from.Add(life + maxAhead)
	}
	e.Before, e.Until = plain(e.Before), plain(e.Until)
	return e, nil
}

// plain returns a time without what only this process knows of it.
func plain(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

// has reports whether a token has all that the Entry names.
func (e *Entry) has(caller *claims.Claims) bool {
	is := func(named, own string) bool { return named == "" || named == own }
	return is(e.Issuer, caller.Issuer()) && is(e.Token, caller.ID()) &&
		is(e.Session, caller.SessionID()) && !(e.Sessionless && caller.SessionID() != "") &&
		is(e.Subject, caller.Subject()) &&
		is(e.ClientID, caller.ClientID())
}

// reaches reports whether a token of this age has ended by the Entry.
func (e *Entry) reaches(issuedAt time.Time, leeway time.Duration) bool {
	return e.Before.IsZero() || issuedAt.IsZero() ||
		!issuedAt.Truncate(time.Second).After(e.Before.Add(leeway))
}

// sameAs reports whether both name the same.
func (e *Entry) sameAs(o *Entry) bool {
	return e.Issuer == o.Issuer && e.Token == o.Token && e.Session == o.Session &&
		e.Subject == o.Subject && e.ClientID == o.ClientID && e.Sessionless == o.Sessionless
}

// covers reports whether o, which names the same, adds nothing: what is said
// again a little later lasts no longer for it.
func (e *Entry) covers(o *Entry) bool {
	return o.Until.Sub(e.Until) < time.Minute &&
		(e.Before.IsZero() || !o.Before.IsZero() && !e.Before.Before(o.Before))
}

// with returns both of two that name the same.
func (e *Entry) with(o *Entry) Entry {
	both := *e
	if o.Before.IsZero() || !e.Before.IsZero() && o.Before.After(e.Before) {
		both.Before = o.Before
	}
	if o.Until.After(e.Until) {
		both.Until = o.Until
	}
	return both
}

// String returns what has ended, for operators.
func (e Entry) String() string {
	var b strings.Builder
	if e.Issuer == "" {
		b.WriteString("everything")
	} else {
		fmt.Fprintf(&b, "issuer %q", e.Issuer)
	}
	for _, part := range []struct{ name, value string }{
		{"token", e.Token}, {"session", e.Session}, {"subject", e.Subject}, {"client", e.ClientID},
	} {
		if part.value != "" {
			fmt.Fprintf(&b, ", %s %q", part.name, part.value)
		}
	}
	if e.Sessionless {
		b.WriteString(", without a session")
	}
	if !e.Before.IsZero() {
		fmt.Fprintf(&b, ", issued until %s", e.Before.UTC().Format(time.RFC3339))
	}
	return b.String()
}

// kind is by what the tokens of an Entry are found.
type kind uint8

const (
	ofToken kind = iota
	ofSession
	ofSubject
	ofClient
	ofIssuer
	ofAll // issuers, where a full table has no other way
	kinds
)

// kind is that of what the Entry names which the fewest tokens have.
func (e *Entry) kind() kind {
	switch {
	case e.Token != "":
		return ofToken
	case e.Session != "":
		return ofSession
	case e.Subject != "":
		return ofSubject
	case e.ClientID != "":
		return ofClient
	case e.Issuer != "":
		return ofIssuer
	}
	return ofAll
}

// value is what the Entry has of its kind.
func (e *Entry) value() string {
	switch e.kind() {
	case ofToken:
		return e.Token
	case ofSession:
		return e.Session
	case ofSubject:
		return e.Subject
	case ofClient:
		return e.ClientID
	}
	return ""
}
