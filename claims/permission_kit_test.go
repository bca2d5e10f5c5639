package claims_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// source is a claims.PermissionSource.
type source func(context.Context, claims.Principal) (claims.Grants, error)

func (s source) Permissions(ctx context.Context, who claims.Principal) (claims.Grants, error) {
	return s(ctx, who)
}

// granting is a source that says the same of everybody.
func granting(g claims.Grants) source {
	return func(context.Context, claims.Principal) (claims.Grants, error) { return g, nil }
}

// everywhere are permissions without a workspace.
func everywhere(permissions ...string) claims.Grants {
	return claims.Grants{Permissions: permissions}
}

// says returns a caller of whom a token says this.
func says(t testing.TB, members m) *claims.Claims {
	t.Helper()
	object, err := json.Marshal(members)
	require.NoError(t, err)
	caller, err := claims.FromJSON(object, claims.Config{})
	require.NoError(t, err)
	return caller
}

var permissionIssuer = sync.OnceValue(func() *claimstest.Issuer {
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	if err != nil {
		panic(err)
	}
	return issuer
})

var permissionVerifier = sync.OnceValue(func() *claims.Verifier {
	issuer := permissionIssuer()
	keys, err := jwks.Parse(issuer.KeySet())
	if err != nil {
		panic(err)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
		PermissionClaims: []string{"permissions"}, MaxTokens: -1,
	})
	if err != nil {
		panic(err)
	}
	return verifier
})

// permitted returns a caller whose token says this, and whose permissions are those
// in its "permissions".
func permitted(t testing.TB, members m) *claims.Claims {
	t.Helper()
	caller, err := permissionVerifier().Authenticate(t.Context(), bearer(
		permissionIssuer().Mint(claimstest.Token{Claims: members})))
	require.NoError(t, err)
	return caller
}

// guardOf returns a Guard that takes every request for one of this caller.
func guardOf(t testing.TB, caller *claims.Claims, cfg claims.GuardConfig) *claims.Guard {
	t.Helper()
	guard, err := claims.NewGuard(authenticator(
		func(context.Context, claims.Credentials) (*claims.Claims, error) { return caller, nil }), cfg)
	require.NoError(t, err)
	return guard
}

// presented are credentials that a guardOf accepts.
var presented = claims.Credentials{Scheme: "Bearer", Token: "secret-token-text"}

// ask authorizes a request for an operation that needs this.
func ask(
	ctx context.Context, guard *claims.Guard, needs claims.Requirement, request any,
) (context.Context, error) {
	return decide(ctx, guard, attempt{
		Operation: "operation", Needs: needs, Credentials: presented, Request: request,
	})
}

// cacheOf returns a PermissionCache.
func cacheOf(
	t testing.TB, of claims.PermissionSource, cfg claims.PermissionCacheConfig,
) *claims.PermissionCache {
	t.Helper()
	cache, err := claims.NewPermissionCache(of, cfg)
	require.NoError(t, err)
	return cache
}

// record keeps decisions.
type record struct {
	sync.Mutex
	decisions []claims.Decision
}

func (r *record) observe(_ context.Context, d claims.Decision) {
	r.Lock()
	defer r.Unlock()
	r.decisions = append(r.decisions, d)
}

// take returns what was decided since it was called last.
func (r *record) take() []claims.Decision {
	r.Lock()
	defer r.Unlock()
	taken := r.decisions
	r.decisions = nil
	return taken
}

// assertRefusal checks the class of an error and that it is a refusal.
func assertRefusal(t testing.TB, class, err error, text ...any) *claims.Error {
	t.Helper()
	refusal, ok := err.(*claims.Error)
	if class == nil {
		assert.NoError(t, err, text...)
		return nil
	}
	if assert.True(t, ok, append([]any{"%T is no refusal"}, err)...) {
		assert.Equal(t, class, refusal.Class(), text...)
	}
	return refusal
}
