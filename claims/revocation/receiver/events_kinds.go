package receiver

import (
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/signed"
)

const (
	caep  = "https://schemas.openid.net/secevent/caep/event-type/"
	risc  = "https://schemas.openid.net/secevent/risc/event-type/"
	oauth = "https://schemas.openid.net/secevent/oauth/event-type/"

	sessionRevoked = caep + "session-revoked"
)

// condition is what a member of an event must be for the event to end
// something; none of an event that always does.
type condition struct{ member, value string }

// kinds are the events that end something, by their URI.
var kinds = map[string]condition{
	sessionRevoked:                  {},
	caep + "token-claims-change":    {},
	caep + "credential-change":      {},
	caep + "assurance-level-change": {"change_direction", "decrease"},
	// CAEP section 3.5 and 3.8.
	caep + "device-compliance-change": {"current_status", "not-compliant"},
	caep + "risk-level-change":        {"current_level", "HIGH"},

	risc + "account-disabled":                   {},
	risc + "account-purged":                     {},
	risc + "account-credential-change-required": {},
	risc + "credential-compromise":              {},
	risc + "sessions-revoked":                   {},

	oauth + "tokens-revoked": {},
	oauth + "token-revoked":  {},
}

// endsSomething reports whether an event ends anything.
func endsSomething(uri string, event signed.Object) (bool, error) {
	only, ok := kinds[uri]
	if !ok || only.member == "" {
		return ok, nil
	}
	// Of one that does not say which way it went, the worse is taken.
	if !event.Has(only.member) {
		return true, nil
	}
	value, err := event.String(only.member)
	if err != nil {
		return false, refuse(reasonClaims, err)
	}
	return value == only.value, nil
}

// milliseconds is what no time in seconds reaches before the year 5138: some
// senders have "event_timestamp" in milliseconds, as drafts had it.
const milliseconds = 100_000_000_000

// timeOf returns when an event happened: by itself, or when the token was
// issued.
func timeOf(event signed.Object, issued time.Time) (time.Time, error) {
	if n, err := event.Number("event_timestamp"); err == nil && n > milliseconds {
		return time.UnixMilli(n), nil
	}
	at, err := event.Time("event_timestamp")
	if err != nil {
		return time.Time{}, refuse(reasonMalformed, err)
	}
	if at.IsZero() {
		return issued, nil
	}
	return at, nil
}
