package claims_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/lestrrat-go/jwx/v2/jwt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func assertSameAsEncodingJSON(t testing.TB, c *claims.Claims, payload []byte) {
	t.Helper()
	var object map[string]json.RawMessage // any could not hold 1e999
	require.NoError(t, json.Unmarshal(payload, &object))
	require.NotNil(t, object)
	// By its fields encoding/json matches names in any case.
	var theirs struct {
		Issuer    string      `json:"iss"`
		Subject   string      `json:"sub"`
		ID        string      `json:"jti"`
		ClientID  string      `json:"client_id"`
		Azp       string      `json:"azp"`
		Audience  any         `json:"aud"`
		Scope     any         `json:"scope"`
		Scp       any         `json:"scp"`
		ExpiresAt json.Number `json:"exp"`
		NotBefore json.Number `json:"nbf"`
		IssuedAt  json.Number `json:"iat"`
	}
	require.NoError(t, c.Decode(&theirs))
	assert.Equal(t, theirs.Issuer, c.Issuer())
	assert.Equal(t, theirs.Subject, c.Subject())
	assert.Equal(t, theirs.ID, c.ID())
	if theirs.ClientID == "" {
		theirs.ClientID = theirs.Azp
	}
	assert.Equal(t, theirs.ClientID, c.ClientID())
	assert.Equal(t, theirs.Audience, shapeOf(theirs.Audience, c.Audience()))
	granted := theirs.Scope
	if granted == nil {
		granted = theirs.Scp
	}
	if words, ok := granted.(string); ok {
		var list []any
		for word := range strings.SplitSeq(words, " ") {
			if word != "" {
				list = append(list, word)
			}
		}
		granted = list
	}
	assert.ElementsMatch(t, granted, shapeOf([]any{}, c.Scopes()))
	assertTime(t, theirs.ExpiresAt, c.ExpiresAt())
	assertTime(t, theirs.NotBefore, c.NotBefore())
	assertTime(t, theirs.IssuedAt, c.IssuedAt())
	for _, scope := range c.Scopes() {
		assert.True(t, c.HasScope(scope))
	}
}

// shapeOf is list as encoding/json has it where it has like.
func shapeOf(like any, list []string) any {
	switch like.(type) {
	case nil:
		if len(list) == 0 {
			return nil
		}
	case string:
		if len(list) == 1 {
			return list[0]
		}
	}
	values := []any{}
	for _, s := range list {
		values = append(values, s)
	}
	return values
}

func assertTime(t testing.TB, number json.Number, got time.Time) {
	t.Helper()
	if number == "" {
		assert.True(t, got.IsZero())
		return
	}
	want, ok := exactDate(number.String())
	require.True(t, ok, number)
	assert.True(t, want.Equal(got), "%s: want %v, got %v", number, want.UTC(), got.UTC())
}

var jwxKeySet = sync.OnceValue(func() jwk.Set {
	set, err := jwk.Parse(issuerKeySet())
	must(err)
	return set
})

// jwxError is what jwx has against a token, with the same keys, issuer,
// audience and leeway. It may try every key, so that "kid" is a matter of the
// list of disagreements, too.
func jwxError(token string) error {
	_, err := jwt.Parse([]byte(token),
		jwt.WithKeySet(jwxKeySet(), jws.WithRequireKid(false), jws.WithInferAlgorithmFromKey(true)),
		jwt.WithIssuer(issuerURL), jwt.WithAudience(claimstest.Audience),
		jwt.WithAcceptableSkew(30*time.Second),
	)
	return err
}

func assertAcceptedByJWX(t testing.TB, caller *claims.Claims, token string) {
	t.Helper()
	s := sight(token)
	require.Len(t, s.segments, 3)
	require.True(t, s.verifies(), token)
	var theirs, ours map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(s.payload.text, &theirs))
	require.NoError(t, caller.Decode(&ours))
	assert.Equal(t, theirs, ours)
	var faults []error
	for _, id := range issuerKeys {
		if kid := s.header.string("kid"); kid != "" && kid != id {
			continue
		}
		algorithm := jwxAlgorithm(s.header.string("alg"))
		payload, err := jws.Verify([]byte(token), jws.WithKey(algorithm, forger()[id].private.Public()))
		if err == nil {
			assert.Equal(t, s.payload.text, payload)
			return
		}
		faults = append(faults, err)
	}
	assert.True(t, s.failsInJWX(), "jwx does not accept the token %s\n%v", token, faults)
}

// jwxAlgorithm is what jwx calls one of our algorithms.
func jwxAlgorithm(alg string) jwa.SignatureAlgorithm {
	if alg == "Ed25519" { // RFC 9864, younger than jwx v2
		return jwa.EdDSA
	}
	return jwa.SignatureAlgorithm(alg)
}

// failsInJWX reports whether jwx trips over the header: it verifies its own
// spelling of a header that has white space around, and reads members that are
// nothing to us.
func (s sighting) failsInJWX() bool {
	there := func(json.RawMessage) bool { return true }
	foreign := []string{"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"}
	var values any
	return s.header.surrounded() || s.header.anyOf(foreign, there) ||
		json.Unmarshal(s.header.value, &values) != nil // of 1e999
}
