package claims_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// Whoever overwrites the claims of their request changes those of no other,
// whether it comes later or is there already, and whether the token is
// remembered or not.
func TestClaims_overwritten(t *testing.T) {
	t.Parallel()
	mallory := says(t, m{"sub": "mallory", "scope": "admin"})
	for how, overwrite := range map[string]func(*claims.Claims){
		"with nothing":     func(caller *claims.Claims) { *caller = claims.Claims{} },
		"with another's":   func(caller *claims.Claims) { *caller = *mallory },
		"with one's own":   func(*claims.Claims) {},
		"with another nil": func(caller *claims.Claims) { *caller = *new(claims.Claims) },
	} {
		for _, tokens := range []int{0, -1} {
			issuer := newIssuer(t, claimstest.Config{})
			cfg := trusting(t, issuer)
			cfg.MaxTokens = tokens
			cfg.Check = func(_ context.Context, caller *claims.Claims) error {
				if caller.Subject() != "alice" {
					return errRevoked
				}
				overwrite(caller)
				return nil
			}
			for name, auth := range makers(t, cfg) {
				t.Run(fmt.Sprintf("%s %d %s", how, tokens, name), func(t *testing.T) {
					t.Parallel()
					token := bearer(issuer.Mint(claimstest.Token{Subject: "alice", Scope: "read"}))
					guard, err := claims.NewGuard(auth, claims.GuardConfig{})
					require.NoError(t, err)
					var held []*claims.Claims
					take := func() *claims.Claims {
						if len(held)%2 == 0 {
							caller, err := auth.Authenticate(t.Context(), token)
							require.NoError(t, err)
							return caller
						}
						ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Scopes("read")}, token, nil)
						require.NoError(t, err)
						caller, _ := claims.FromContext(ctx)
						return caller
					}
					for range 100 {
						caller := take()
						require.Equal(t, "alice", caller.Subject(), "later")
						held = append(held, caller)
						overwrite(take())
					}
					for _, caller := range held {
						require.Equal(t, "alice", caller.Subject(), "there already")
						require.False(t, caller.HasScope("admin"))
					}
				})
			}
		}
	}
}

// For the race detector: who overwrites theirs and who reads theirs are
// strangers.
func TestClaims_overwrittenAtOnce(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, nil)
	guard, err := claims.NewGuard(verifier, claims.GuardConfig{})
	require.NoError(t, err)
	token := bearer(issuer.Mint(claimstest.Token{Subject: "alice"}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				caller, err := verifier.Authenticate(t.Context(), token)
				assert.NoError(t, err)
				assert.Equal(t, "alice", caller.Subject())
				*caller = claims.Claims{}
				ctx, err := guard.Authorize(t.Context(), claims.Operation{}, token, nil)
				assert.NoError(t, err)
				caller, _ = claims.FromContext(ctx)
				assert.Equal(t, "alice", caller.Subject())
				*caller = claims.Claims{}
			}
		})
	}
	wg.Wait()
}

// In a log, claims are one quoted line, whatever their issuer wrote, and
// nothing more.
func TestClaims_inLogs(t *testing.T) {
	t.Parallel()
	caller := says(t, m{
		"iss": "https://a.example", "sub": "al\nice\x1b[2J\u202e\"", "secret": "hunter2",
		"scope": "hunter2", "client_id": "hunter2",
	})
	const want = `claims.Claims{"https://a.example" "al\nice\x1b[2J\u202e\""}`
	assert.Equal(t, want, caller.String())
	assert.Equal(t, want, fmt.Sprintf("%#v", caller))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		assert.Equal(t, want, fmt.Sprintf(verb, caller), verb)
		assert.NotContains(t, fmt.Sprintf(verb, []*claims.Claims{caller}), "hunter2", verb)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		for _, value := range []any{*caller, struct{ C *claims.Claims }{caller}, struct{ C claims.Claims }{*caller}} {
			text := fmt.Sprintf(verb, value)
			assert.NotContains(t, text, "hunter2", verb)
			assert.NotContains(t, text, "\n", verb)
			assert.NotContains(t, text, "\x1b", verb)
		}
	}
	encoded, err := json.Marshal(map[string]any{"caller": caller})
	require.NoError(t, err)
	assert.NotContains(t, string(encoded), "hunter2")
}

// Nil and zero claims say nothing, in every method.
func TestClaims_nilAndZero(t *testing.T) {
	t.Parallel()
	for name, caller := range map[string]*claims.Claims{"nil": nil, "zero": {}} {
		for method, got := range map[string]any{
			"Issuer": caller.Issuer(), "Subject": caller.Subject(), "ClientID": caller.ClientID(),
			"ID": caller.ID(), "ACR": caller.ACR(), "KeyID": caller.KeyID(),
			"HasScope":  caller.HasScope(""),
			"Principal": caller.Principal(), "AuthTime": caller.AuthTime(), "ExpiresAt": caller.ExpiresAt(),
			"ValidUntil": caller.ValidUntil(), "NotBefore": caller.NotBefore(), "IssuedAt": caller.IssuedAt(),
		} {
			assert.Zero(t, got, "%s %s", name, method)
		}
		for method, got := range map[string][]string{
			"Audience": caller.Audience(), "Scopes": caller.Scopes(), "Permissions": caller.Permissions(),
		} {
			assert.Equal(t, []string{}, got, "%s %s", name, method)
		}
		var v map[string]any
		require.NoError(t, caller.Decode(&v), name)
		assert.Empty(t, v, name)
		assert.Equal(t, `claims.Claims{"" ""}`, caller.String(), name)
		assert.NotPanics(t, func() { _ = fmt.Sprintf("%v %+v %#v", caller, caller, caller) }, name)
		assert.ErrorIs(t, claims.Scopes("a").Check(t.Context(), caller), claims.ErrInsufficientScope, name)

		ctx := claims.NewContext(admitted(t, wrapper{authenticator(
			func(context.Context, claims.Credentials) (*claims.Claims, error) { return says(t, m{"sub": "a"}), nil })},
			"token", claims.GuardConfig{}), caller)
		got, ok := claims.FromContext(ctx)
		assert.Equal(t, caller != nil, ok, name)
		assert.Empty(t, got.Subject(), name)
		assert.Error(t, claims.Allowed(ctx, claims.Scopes("a")), name)
	}
}
