package claims_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/conformance"
	"github.com/sallyport-go/sallyport/jwks"
)

// sleepUntil waits in a synctest bubble, where it takes no time.
func sleepUntil(seconds int64) { time.Sleep(time.Until(time.Unix(seconds, 0))) }

func staticVerifier(t *testing.T, keys []byte, cfg claims.Config) *claims.Verifier {
	t.Helper()
	set, err := jwks.Parse(keys)
	require.NoError(t, err)
	cfg.Keys = set
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	return verifier
}

// The payload of RFC 7515 A.2 and A.3 is a claims set, of 2011.
func TestVerifier_rfc7515(t *testing.T) {
	t.Parallel()
	const exp, leeway = 1300819380, 30
	found := 0
	for _, vector := range readRFCVectors(t) {
		if vector.Source != "RFC 7515 A.2" && vector.Source != "RFC 7515 A.3" {
			continue
		}
		found++
		t.Run(vector.Source, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				verifier := staticVerifier(t, keySetOf(vector.Keys...),
					claims.Config{Issuer: "joe", InsecureSkipAudience: true})
				sleepUntil(exp + leeway - 1)
				caller, err := verifier.Authenticate(t.Context(), bearer(vector.Compact))
				require.NoError(t, err)
				assert.Equal(t, "joe", caller.Issuer())
				assert.True(t, time.Unix(exp, 0).Equal(caller.ExpiresAt()))
				var further struct {
					Root bool `json:"http://example.com/is_root"`
				}
				require.NoError(t, caller.Decode(&further))
				assert.True(t, further.Root)
				caller, err = verifier.Authenticate(t.Context(), bearer(corrupted(vector.Compact)))
				assertRefused(t, caller, err, claims.ReasonSignature)
				sleepUntil(exp + leeway)
				caller, err = verifier.Authenticate(t.Context(), bearer(vector.Compact))
				assertRefused(t, caller, err, claims.ReasonExpired)
			})
		})
	}
	assert.Equal(t, 2, found)
}

// rfc9068Example is the access token of RFC 9068 section 3. Its key is not
// published, so its header and claims are signed with another.
func rfc9068Example(t *testing.T) []*conformance.Row {
	const (
		header  = `{"typ":"at+JWT","alg":"RS256","kid":"RjEwOwOA"}`
		payload = `{
 "iss": "https://authorization-server.example.com/",
 "sub": "5ba552d67",
 "aud":   "https://rs.example.com/",
 "exp": 1639528912,
 "iat": 1618354090,
 "jti" : "dbe39bf3a3ba4238a513f51d6e1691c4",
 "client_id": "s6BhdRkqt3",
 "scope": "openid profile reademail"
}`
		issuer, audience = "https://authorization-server.example.com/", "https://rs.example.com/"
		iat, exp, leeway = 1618354090, 1639528912, 30
	)
	row := &conformance.Row{Suite: "RFC 9068 section 3, signed anew"}
	t.Run("example", func(t *testing.T) {
		token := bearer(forgedBy("rsa", "RS256", header, payload))
		keys := keySetOf(json.RawMessage(encodeJSON(merged(forger()["rsa"].jwk, m{"kid": "RjEwOwOA"}))))
		synctest.Test(t, func(t *testing.T) {
			verifier := staticVerifier(t, keys, claims.Config{
				Issuer: issuer, Audiences: []string{audience}, Types: []string{"at+jwt"},
			})
			authenticate := func() (*claims.Claims, error) {
				return verifier.Authenticate(t.Context(), token)
			}
			sleepUntil(iat - leeway - 1)
			caller, err := authenticate()
			assertRefused(t, caller, err, claims.ReasonNotYetValid)
			sleepUntil(iat - leeway)
			caller, err = authenticate()
			require.NoError(t, err)
			assert.Equal(t, issuer, caller.Issuer())
			assert.Equal(t, "5ba552d67", caller.Subject())
			assert.Equal(t, []string{audience}, caller.Audience())
			assert.Equal(t, "s6BhdRkqt3", caller.ClientID())
			assert.Equal(t, "dbe39bf3a3ba4238a513f51d6e1691c4", caller.ID())
			assert.Equal(t, []string{"openid", "profile", "reademail"}, caller.Scopes())
			assert.True(t, time.Unix(exp, 0).Equal(caller.ExpiresAt()))
			assert.True(t, time.Unix(iat, 0).Equal(caller.IssuedAt()))
			assert.True(t, caller.NotBefore().IsZero())
			sleepUntil(exp + leeway - 1)
			_, err = authenticate()
			require.NoError(t, err)
			sleepUntil(exp + leeway)
			caller, err = authenticate()
			assertRefused(t, caller, err, claims.ReasonExpired)
		})
		row.Pass("Verifier")
	})
	return []*conformance.Row{row}
}
