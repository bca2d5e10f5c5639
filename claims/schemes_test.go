package claims_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// signs is a Confirmer that says how proofs are signed.
type signs struct {
	*confirms
	algorithms []string
}

func (s signs) Algorithms() []string { return s.algorithms }

// schemed is an Authenticator of a user's with schemes.
type schemed struct {
	claims.Authenticator
	schemes func() []claims.Scheme
}

func (s schemed) Schemes() []claims.Scheme { return s.schemes() }

func schemesOf(t testing.TB, auth claims.Authenticator) []claims.Scheme {
	t.Helper()
	guard, err := claims.NewGuard(auth, claims.GuardConfig{})
	require.NoError(t, err)
	return guard.Schemes()
}

// A Guard knows the schemes of its Authenticator, whichever that is, each once.
func TestGuard_Schemes(t *testing.T) {
	t.Parallel()
	issuer, other := newIssuer(t, claimstest.Config{}), newIssuer(t, claimstest.Config{URL: "https://other.example"})
	bound := func(of *claimstest.Issuer, algorithms ...string) claims.Config {
		cfg := trusting(t, of)
		cfg.Confirmers = []claims.Confirmer{
			signs{byProof("jkt", "DPoP"), algorithms}, byProof("x5t#S256", "Bearer"), byProof("mac", "MAC"),
		}
		return cfg
	}
	want := []claims.Scheme{{Name: "DPoP", Algorithms: "ES256"}, {Name: "MAC"}}
	for name, auth := range makers(t, bound(issuer, "ES256")) {
		if strings.Contains(name, "own") || strings.Contains(name, "embeds") { // what it has it may hide
			continue
		}
		_, err := auth.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
		require.NoError(t, err)
		assert.Equal(t, want, schemesOf(t, auth), name)
	}
	for name, auth := range makers(t, trusting(t, issuer)) {
		assert.Empty(t, schemesOf(t, auth), name)
	}

	issuers, err := claims.NewIssuers(bound(issuer, "ES256"), bound(other, "PS256", "ES256"))
	require.NoError(t, err)
	assert.Equal(t, []claims.Scheme{{Name: "DPoP", Algorithms: "ES256 PS256"}, {Name: "MAC"}}, schemesOf(t, issuers))
	issuers.Remove(other.URL())
	assert.Equal(t, want, schemesOf(t, issuers))
	require.NoError(t, issuers.Add(trusting(t, issuer)))
	assert.Empty(t, schemesOf(t, issuers))

	plain, err := claims.NewVerifier(trusting(t, issuer))
	require.NoError(t, err)
	dpop, err := claims.NewVerifier(bound(issuer, "ES256"))
	require.NoError(t, err)
	assert.Equal(t, want, schemesOf(t, claims.FirstOf(plain, dpop, dpop)))

	own := schemed{plain, func() []claims.Scheme { return want }}
	assert.Equal(t, want, schemesOf(t, own))
	assert.Equal(t, want, schemesOf(t, claims.FirstOf(plain, own)))
	own.schemes = func() []claims.Scheme { panic("no schemes") }
	assert.Empty(t, schemesOf(t, own), "a challenge less")
	assert.Empty(t, (*claims.Guard)(nil).Schemes())

	examiner, err := claims.NewExaminer(bound(issuer, "ES256"))
	require.NoError(t, err)
	assert.Equal(t, want, examiner.Schemes())
	assert.Empty(t, (*claims.Examiner)(nil).Schemes())
}

// What refuses a request that was presented under another scheme than Bearer
// says so, wherever it comes from.
func TestError_Scheme(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Confirmers = []claims.Confirmer{byProof("jkt", "DPoP")}
	})
	guard, err := claims.NewGuard(verifier, claims.GuardConfig{})
	require.NoError(t, err)
	bound := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": "j"}}})
	op := func(needs claims.Requirement) claims.Operation { return claims.Operation{Requirement: needs} }
	refusal := func(err error) string {
		t.Helper()
		require.Error(t, err)
		return claims.AsError(err).Scheme()
	}
	_, err = guard.Authorize(t.Context(), op(claims.Authenticated()), proving("DPoP", bound), nil)
	assert.Equal(t, "DPoP", refusal(err))
	_, err = guard.Authorize(t.Context(), op(claims.Scopes("x")), proving("dpop", bound, "j"), nil)
	assert.Equal(t, "dpop", refusal(err))
	_, err = guard.Authorize(t.Context(), op(claims.Authenticated()), proving("bearer", bound, "j"), nil)
	assert.Empty(t, refusal(err))
	ctx, err := guard.Authorize(t.Context(), op(claims.Authenticated()), proving("DPoP", bound, "j"), nil)
	require.NoError(t, err)
	assert.Equal(t, "DPoP", refusal(claims.Allowed(ctx, claims.Scopes("x"))))
	assert.Equal(t, "DPoP", refusal(guard.Ended(ctx, claims.ErrInvalidToken)))
	ctx, err = guard.Authorize(t.Context(), op(claims.Authenticated()), bearer(issuer.Mint(claimstest.Token{})), nil)
	require.NoError(t, err)
	assert.Empty(t, refusal(claims.Allowed(ctx, claims.Scopes("x"))))
}

// The Confirmer of the scheme is asked after the others, wherever it stands in
// cnf: its proof may be good for one use.
func TestConfirmers_schemeLast(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	of, certificate := byProof("jkt", "DPoP"), byProof("x5t#S256", "Bearer")
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Confirmers = []claims.Confirmer{of, certificate}
	})
	for _, cnf := range []string{`{"jkt":"j","x5t#S256":"x"}`, `{"x5t#S256":"x","jkt":"j"}`} {
		token := issuer.Mint(claimstest.Token{Claims: m{"cnf": json.RawMessage(cnf)}})
		_, err := verifier.Authenticate(context.Background(), proving("DPoP", token, "j"))
		require.Error(t, err)
		assert.Zero(t, of.asked.Load(), cnf)
		_, err = verifier.Authenticate(context.Background(), proving("DPoP", token, "j", "x"))
		require.NoError(t, err)
		assert.EqualValues(t, 1, of.asked.Swap(0), cnf)
	}
}
