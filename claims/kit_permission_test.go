package claims_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

// permitted returns a caller whose token says this, and whose permissions are
// those in its "permissions".
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

// counted is a source that counts how often it is asked. It is changed while it
// is not.
type counted struct {
	mu     sync.Mutex
	asked  []claims.Principal
	took   time.Duration
	grants claims.Grants
	err    error
}

func (c *counted) Permissions(ctx context.Context, who claims.Principal) (claims.Grants, error) {
	c.mu.Lock()
	c.asked = append(c.asked, who)
	took, grants, err := c.took, c.grants, c.err
	c.mu.Unlock()
	if took > 0 {
		select {
		case <-time.After(took):
		case <-ctx.Done():
			return claims.Grants{}, ctx.Err()
		}
	}
	return grants, err
}

func (c *counted) set(grants claims.Grants, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grants, c.err = grants, err
}

func (c *counted) calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.asked)
}

// held is a source that answers when it is told to.
type held struct {
	asked  chan claims.Principal
	answer chan claims.Grants
}

func (h *held) Permissions(_ context.Context, who claims.Principal) (claims.Grants, error) {
	h.asked <- who
	return <-h.answer, nil
}

// eachKind runs f for a source itself and for one in a cache.
func eachKind(t *testing.T, f func(t *testing.T, kind func(claims.PermissionSource) claims.PermissionSource)) {
	t.Helper()
	t.Run("source", func(t *testing.T) {
		t.Parallel()
		f(t, func(s claims.PermissionSource) claims.PermissionSource { return s })
	})
	t.Run("cache", func(t *testing.T) {
		t.Parallel()
		f(t, func(s claims.PermissionSource) claims.PermissionSource {
			return cacheOf(t, s, claims.PermissionCacheConfig{})
		})
	})
}

// holder is a caller in front of a cache.
type holder struct {
	t     *testing.T
	guard *claims.Guard
}

func holderOf(t *testing.T, cache *claims.PermissionCache, members m) holder {
	t.Helper()
	return holder{t, guardOf(t, says(t, members), claims.GuardConfig{Permissions: cache})}
}

// may returns the outcome of a request that needs permission p.
func (h holder) may() truth {
	h.t.Helper()
	_, err := ask(h.t.Context(), h.guard, claims.Permissions("p"), nil)
	return truthOf(err)
}

// after returns it after some time.
func (h holder) after(d time.Duration) truth {
	h.t.Helper()
	time.Sleep(d)
	outcome := h.may()
	synctest.Wait()
	return outcome
}

const ns = time.Nanosecond

// mayBy returns the outcome for principal name, who waits as long as that.
func mayBy(t *testing.T, cache *claims.PermissionCache, name string, patience time.Duration) truth {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	guard := guardOf(t, says(t, m{"sub": name}), claims.GuardConfig{Permissions: cache})
	_, err := ask(ctx, guard, claims.Permissions("p"), nil)
	return truthOf(err)
}

// asked asks a cache about a subject.
func asked(t *testing.T, cache *claims.PermissionCache, subject string) {
	t.Helper()
	_, err := cache.Permissions(t.Context(), claims.Principal{Subject: subject})
	require.NoError(t, err)
}
