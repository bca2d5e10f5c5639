package claims

import (
	"encoding/base64"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestHint(t *testing.T) {
	t.Parallel()
	in := func(h hint, payload string) bool {
		return h.in([]byte(base64.RawURLEncoding.EncodeToString([]byte(payload))))
	}
	for _, issuer := range []string{
		"https://issuer.example", "https://issuer.example/", "https://issuer.example/1",
		"https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0",
	} {
		h := newHint(issuer)
		for offset := range 10 {
			before := strings.Repeat("x", offset)
			assert.True(t, in(h, before+`"iss":"`+issuer+`","sub":"x"`), "%s at %d", issuer, offset)
			assert.False(t, in(h, before+`"iss":"`+issuer+`1","sub":"x"`), "another, longer")
			assert.False(t, in(h, before+`"iss":"`+issuer[:len(issuer)-1]+`","sub":"x"`))
			assert.False(t, in(h, before+`"aud":"`+issuer+`","sub":"x"`), "not the issuer")
			assert.False(t, in(h, before+`"iss":"https://issues.example/1"`))
			assert.False(t, in(h, before))
		}
	}
}

// While no fetch is to be made for it, an invented key ID costs no look at the
// claims; whatever else is wrong with such a token it is refused for that,
// unless it is of another issuer.
func TestVerifier_early(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting(t, func(cfg *Config) { cfg.MaxTokens = -1 })
		v := c.verifier(t)
		c.expect(t, v, c.mint(claimstest.Token{}), "", 1)
		unknown := func(claims map[string]any) Credentials {
			return c.mint(claimstest.Token{Header: map[string]any{"kid": "invented"}, Claims: claims})
		}
		expired := map[string]any{"exp": 1}
		c.expect(t, v, unknown(expired), ReasonExpired, 0) // a fetch might be made
		c.expect(t, v, unknown(nil), ReasonUnknownKey, 0)  // and was
		c.expect(t, v, unknown(expired), ReasonUnknownKey, 0)
		c.expect(t, v, unknown(map[string]any{"iss": "https://other.example"}), ReasonIssuer, 0)
		c.expect(t, v, c.mint(claimstest.Token{Header: map[string]any{
			"kid": "invented", "alg": "none",
		}}), ReasonAlgorithm, 0)
		c.expect(t, v, c.mint(claimstest.Token{}), "", 1)
		requests := c.issuer.KeySetRequests()
		time.Sleep(61 * time.Second)
		c.expect(t, v, unknown(expired), ReasonExpired, 0)
		assert.Equal(t, requests, c.issuer.KeySetRequests(), "no fetch for a token that is expired")

		issuers, err := NewIssuers(c.cfg)
		require.NoError(t, err)
		c.expect(t, issuers, unknown(nil), ReasonUnknownKey, 0)
		c.expect(t, issuers, unknown(expired), ReasonExpired, 0)
	})
}
