package claims_test

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// disagreement is a reason to refuse what jwx, or encoding/json, accepts.
type disagreement struct {
	name    string
	reason  claims.Reason
	because string
	// holds says by the token alone whether this is why it is refused.
	holds func(sighting) bool
	// loose is set where holds may be true of a token that is accepted: it then
	// takes more than the token, such as the time, to tell.
	loose    bool
	tokens   []string // that jwx accepts
	payloads []string // that encoding/json takes for an object
}

// recognised returns the names of the disagreements that account for a refusal,
// of a token for the given reason or of a payload.
func recognised(s sighting, reason claims.Reason, payload bool) []string {
	var names []string
	for _, d := range disagreements() {
		if (payload && d.payloads != nil || d.reason == reason) && d.holds(s) {
			names = append(names, d.name)
		}
	}
	return names
}

// contradicted returns the names of the disagreements that should have made an
// accepted token or payload refused.
func contradicted(s sighting, payload bool) []string {
	var names []string
	for _, d := range disagreements() {
		if !d.loose && (!payload || d.payloads != nil) && d.holds(s) {
			names = append(names, d.name)
		}
	}
	return names
}

// Each disagreement is there, for the reason that the list says.
func TestDisagreements(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, d := range disagreements() {
		require.False(t, names[d.name], "two disagreements are called %q", d.name)
		names[d.name] = true
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			assert.Regexp(t, `RFC \d+ section \d`, d.because)
			assert.NotEmpty(t, slices.Concat(d.tokens, d.payloads), "no example")
			for _, token := range d.tokens {
				// The bubble's clock stands still at midnight on 2000-01-01.
				synctest.Test(t, func(t *testing.T) {
					assert.NoError(t, jwxError(token), "jwx refuses %s", token)
					caller, err := fuzzVerifier(t).Authenticate(t.Context(), bearer(token))
					assertRefused(t, caller, err, d.reason)
					assert.Contains(t, recognised(sight(token), d.reason, false), d.name, token)
				})
			}
			for _, payload := range d.payloads {
				var object map[string]json.RawMessage
				assert.NoError(t, json.Unmarshal([]byte(payload), &object))
				assert.NotNil(t, object)
				_, err := claims.FromJSON([]byte(payload), claims.Config{})
				assert.Error(t, err, payload)
				s := sighting{payload: read([]byte(payload))}
				assert.Contains(t, recognised(s, "", true), d.name, payload)
			}
		})
	}
}

// No disagreement holds for a token that is accepted.
func TestDisagreements_controls(t *testing.T) {
	t.Parallel()
	for _, tt := range controls() {
		assert.Empty(t, contradicted(sight(tt.token), false), tt.name)
	}
}
