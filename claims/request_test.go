package claims_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// anything accepts every token.
type anything struct{ asked int }

func (a *anything) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	a.asked++
	return claims.FromJSON([]byte("{}"), claims.Config{})
}

// A Bearer token with a character that it cannot have is a malformed request,
// whoever would verify it.
func TestAuthorize_charactersOfAToken(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	good := issuer.Mint(claimstest.Token{})
	issuers, err := claims.NewIssuers(configOf(t, issuer))
	require.NoError(t, err)
	tenants, err := claims.NewTenants(always(configOf(t, issuer)), claims.TenantsConfig{})
	require.NoError(t, err)
	for _, auth := range []claims.Authenticator{newVerifier(t, issuer, nil), issuers, tenants} {
		for _, token := range []string{
			good + " " + good, good + ", Bearer " + good, `"` + good + `"`, good + "é", good + "\n",
			"", "==", "a=b", "\x00",
		} {
			_, err := authorize(t.Context(), auth, bearer(token), claims.Authenticated())
			require.ErrorIs(t, err, claims.ErrInvalidRequest, "%T %q", auth, token)
		}
		for _, token := range []string{"a", "a.b.c", "a+b/c==", good + "."} {
			_, err := authorize(t.Context(), auth, bearer(token), claims.Authenticated())
			require.ErrorIs(t, err, claims.ErrInvalidToken, "%T %q", auth, token)
		}
		_, err := authorize(t.Context(), auth, bearer(strings.Repeat(" ", 1<<20)), claims.Authenticated())
		require.Equal(t, claims.ReasonTooLarge, claims.AsError(err).Reason())
		_, err = authorize(t.Context(), auth, bearer(good), claims.Authenticated())
		require.NoError(t, err)
	}
	everything := &anything{}
	for token, ok := range map[string]bool{"a": true, "~+/.-_=": true, "a b": false, "": false, "ä": false} {
		asked := everything.asked
		_, err := authorize(t.Context(), everything, bearer(token), claims.Authenticated())
		assert.Equal(t, ok, err == nil, token)
		assert.Equal(t, ok, everything.asked > asked, "it is not asked about what it must not see")
	}
	_, err = authorize(t.Context(), everything, claims.Credentials{Scheme: "Basic", Token: "a b"},
		claims.Authenticated())
	assert.NoError(t, err, "other schemes have other characters")
}

func TestClaims_ValidUntil(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	token := bearer(issuer.Mint(claimstest.Token{}))
	for leeway, want := range map[time.Duration]time.Duration{0: 30 * time.Second, -1: 0, time.Minute: time.Minute} {
		caller, err := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.Leeway = leeway }).
			Authenticate(t.Context(), token)
		require.NoError(t, err)
		assert.Equal(t, want, caller.ValidUntil().Sub(caller.ExpiresAt()))
	}
	caller, err := claims.FromJSON([]byte(`{}`), claims.Config{})
	require.NoError(t, err)
	assert.True(t, caller.ValidUntil().IsZero())
	caller, err = claims.FromJSON([]byte(`{"exp":1}`), claims.Config{})
	require.NoError(t, err)
	assert.Equal(t, caller.ExpiresAt(), caller.ValidUntil())
}

func TestTokenCache_size(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	for size, ok := range map[int]bool{-1: true, 0: true, 1: true, 10_000_000: true, 10_000_001: false} {
		cfg := configOf(t, issuer)
		cfg.MaxTokens = size
		_, err := claims.NewVerifier(cfg)
		assert.Equal(t, ok, err == nil, size)
		_, err = claims.NewTenants(always(cfg), claims.TenantsConfig{MaxTokens: size})
		assert.Equal(t, ok, err == nil, size)
	}
}
