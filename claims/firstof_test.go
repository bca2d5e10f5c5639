package claims_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// opaque is an Authenticator of one's own: its tokens have a prefix.
type opaque struct {
	prefix string
	caller *claims.Claims
	err    error
}

func (o opaque) Authenticate(_ context.Context, c claims.Credentials) (*claims.Claims, error) {
	if !strings.HasPrefix(c.Token, o.prefix) {
		return nil, fmt.Errorf("%w: %w", claims.ErrInvalidToken, claims.ErrUnrecognized)
	}
	return o.caller, o.err
}

func hmacVerifier(t testing.TB, issuer string) *claims.Verifier {
	t.Helper()
	verifier, err := claims.NewSymmetricVerifier([][]byte{material("secret", 32)}, claims.Config{
		Issuer: issuer, Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	return verifier
}

// An issuer that changes from HMAC to public keys: its tokens are told apart by
// their algorithm, and neither kind is ever tried as the other.
func TestFirstOf_changeover(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	public, secret := newVerifier(t, issuer, nil), hmacVerifier(t, issuer.URL())
	payload := body(m{"iss": issuer.URL()})
	good := maced(material("secret", 32), "HS256", payload)
	for _, auth := range []claims.Authenticator{
		claims.FirstOf(public, secret), claims.FirstOf(secret, public),
		claims.FirstOf(claims.FirstOf(secret), claims.FirstOf(public)),
		claims.FirstOf(wrapper{secret}, public), claims.FirstOf(wrapper{claims.FirstOf(wrapper{public}, secret)}),
	} {
		for _, tt := range []struct {
			name, token string
			reason      claims.Reason
		}{
			{name: "HS256", token: good},
			{name: "ES256", token: issuer.Mint(claimstest.Token{})},
			{
				name: "HS256 by another secret", reason: claims.ReasonSignature,
				token: maced(material("x", 32), "HS256", payload),
			},
			{
				name: "HS256 by the public key", reason: claims.ReasonSignature,
				token: maced([]byte(fmt.Sprint(issuer.Key().JWK()["x"])), "HS256", payload),
			},
			{
				name: "HS512, which is not accepted", reason: claims.ReasonAlgorithm,
				token: maced(material("secret", 32), "HS512", payload),
			},
			{
				name: "ES256 by another key", reason: claims.ReasonSignature,
				token: newIssuer(t, claimstest.Config{}).Mint(claimstest.Token{
					Header: m{"kid": issuer.Key().ID},
				}),
			},
			{
				name: "ES256, expired", reason: claims.ReasonExpired,
				token: issuer.Mint(claimstest.Token{Claims: m{"exp": 1}}),
			},
			{name: "none", token: forged(head(m{"alg": "none"}), payload), reason: claims.ReasonAlgorithm},
			{name: "no JWT", token: "opaque", reason: claims.ReasonMalformed},
		} {
			for range 2 {
				caller, err := auth.Authenticate(t.Context(), bearer(tt.token))
				if tt.reason == "" {
					require.NoError(t, err, tt.name)
					assert.Equal(t, issuer.URL(), caller.Issuer())
					continue
				}
				assertRefused(t, caller, err, tt.reason)
			}
		}
	}
}

// counting counts the requests that reach an Authenticator.
type counting struct {
	claims.Authenticator
	n *int
}

func (c counting) Authenticate(ctx context.Context, by claims.Credentials) (*claims.Claims, error) {
	*c.n++
	return c.Authenticator.Authenticate(ctx, by)
}

// It is never a trial: whoever recognises a token and refuses it ends the
// matter.
func TestFirstOf_neverATrial(t *testing.T) {
	t.Parallel()
	issuer, other := newIssuer(t, claimstest.Config{}), newIssuer(t, claimstest.Config{URL: "https://other.example"})
	alice := says(t, m{"sub": "alice"})
	for name, first := range map[string]struct {
		auth  claims.Authenticator
		token string
	}{
		"another issuer": {newVerifier(t, issuer, nil), other.Mint(claimstest.Token{})},
		"a payload that is none": {
			newVerifier(t, issuer, nil), strings.Join([]string{strings.Split(issuer.Mint(claimstest.Token{}), ".")[0], "e30x", "AAAA"}, "."),
		},
		"refused": {opaque{prefix: "a_", err: errNoProof}, "a_1"},
		"unavailable": {
			opaque{prefix: "a_", err: fmt.Errorf("%w: %w", claims.ErrUnavailable, errDown)}, "a_1",
		},
		"nothing":         {opaque{prefix: "a_"}, "a_1"},
		"an empty caller": {opaque{prefix: "a_", caller: &claims.Claims{}}, "a_1"},
	} {
		var asked int
		auth := claims.FirstOf(first.auth, counting{opaque{caller: alice}, &asked})
		guard, err := claims.NewGuard(auth, claims.GuardConfig{})
		require.NoError(t, err)
		caller, err := auth.Authenticate(t.Context(), bearer(first.token))
		assert.Error(t, err, name)
		assert.Nil(t, caller, name)
		_, err = guard.Authorize(t.Context(), claims.Operation{}, bearer(first.token), nil)
		assert.Error(t, err, name)
		assert.Zero(t, asked, name)
	}
}

// Which refusal comes out where nobody recognises: the first, unless that knows
// no more than that the scheme is another.
func TestFirstOf_unrecognized(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, nil)
	bound := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Confirmers = []claims.Confirmer{byProof("jkt", "DPoP")}
	})
	token := issuer.Mint(claimstest.Token{})
	for _, tt := range []struct {
		name   string
		auth   claims.Authenticator
		c      claims.Credentials
		reason claims.Reason
	}{
		{name: "no JWT", auth: claims.FirstOf(verifier, opaque{prefix: "a_"}), c: bearer("b_1"), reason: claims.ReasonMalformed},
		{name: "the other way about", auth: claims.FirstOf(opaque{prefix: "a_"}, verifier), c: bearer("b_1"), reason: claims.ReasonRejected},
		{name: "a scheme nobody takes", auth: claims.FirstOf(verifier, bound), c: claims.Credentials{Scheme: "Basic", Token: token}, reason: claims.ReasonUnsupportedScheme},
		{name: "a scheme that one takes", auth: claims.FirstOf(verifier, bound), c: claims.Credentials{Scheme: "DPoP", Token: "x"}, reason: claims.ReasonMalformed},
		{name: "and refuses", auth: claims.FirstOf(verifier, bound), c: claims.Credentials{Scheme: "DPoP", Token: token}, reason: claims.ReasonBinding},
	} {
		for _, auth := range []claims.Authenticator{tt.auth, claims.FirstOf(tt.auth), claims.FirstOf(wrapper{tt.auth})} {
			caller, err := auth.Authenticate(t.Context(), tt.c)
			assert.Nil(t, caller)
			require.Error(t, err, tt.name)
			assert.Equal(t, tt.reason, claims.AsError(err).Reason(), tt.name)
			if tt.name != "and refuses" {
				assert.ErrorIs(t, err, claims.ErrUnrecognized, tt.name)
			}
		}
	}
}

// A panic of one's own is recovered, and no reason to ask the next.
func TestFirstOf_panics(t *testing.T) {
	t.Parallel()
	var asked int
	alice := says(t, m{"sub": "alice"})
	for name, fault := range map[string]func() error{
		"panic":                  func() error { panic("at the disco") },
		"an error that panics":   func() error { return (*touchy)(nil) },
		"a panic of an error":    func() error { panic(claims.ErrUnrecognized) },
		"nil, which is no error": func() error { return (*claims.Error)(nil) },
	} {
		auth := claims.FirstOf(authenticator(func(context.Context, claims.Credentials) (*claims.Claims, error) {
			return alice, fault()
		}), counting{opaque{caller: alice}, &asked})
		guard, err := claims.NewGuard(auth, claims.GuardConfig{})
		require.NoError(t, err)
		_, err = guard.Authorize(t.Context(), claims.Operation{}, bearer("x"), nil)
		require.Error(t, err, name)
		_, err = claims.FirstOf(auth, counting{opaque{caller: alice}, &asked}).Authenticate(t.Context(), bearer("x"))
		require.Error(t, err, name)
		_, err = auth.Authenticate(t.Context(), bearer("x"))
		require.Error(t, err, name)
		if name != "nil, which is no error" {
			assert.ErrorIs(t, err, claims.ErrUnavailable, name)
		}
	}
	assert.Zero(t, asked)
}

// A Guard looks at the characters of a token itself if one of several does not.
func TestFirstOf_characters(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, nil)
	for name, auth := range map[string]claims.Authenticator{
		"strict": claims.FirstOf(verifier, hmacVerifier(t, issuer.URL())),
		"mixed":  claims.FirstOf(verifier, opaque{caller: says(t, m{"sub": "alice"})}),
	} {
		guard, err := claims.NewGuard(auth, claims.GuardConfig{})
		require.NoError(t, err)
		for _, text := range []string{"a b", "ü", "a.b.c\n", ""} {
			_, err = guard.Authorize(t.Context(), claims.Operation{}, bearer(text), nil)
			assert.ErrorIs(t, err, claims.ErrInvalidRequest, "%s %q", name, text)
		}
	}
}

// A token that is remembered by one of several is told to be.
func TestFirstOf_remembered(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	record := &record{}
	guard, err := claims.NewGuard(
		claims.FirstOf(opaque{prefix: "a_"}, newVerifier(t, issuer, nil)), claims.GuardConfig{Observer: record.observe})
	require.NoError(t, err)
	token := bearer(issuer.Mint(claimstest.Token{}))
	for range 2 {
		_, err = guard.Authorize(t.Context(), claims.Operation{}, token, nil)
		require.NoError(t, err)
	}
	decisions := record.take()
	assert.False(t, decisions[0].Remembered)
	assert.True(t, decisions[1].Remembered)
}

func TestFirstOf_mistakes(t *testing.T) {
	t.Parallel()
	for want, auths := range map[string][]claims.Authenticator{
		"FirstOf of no Authenticator":                            nil,
		"Authenticator 0 is nil":                                 {nil},
		"Authenticator 1 is a nil pointer":                       {opaque{}, (*claims.Verifier)(nil)},
		"Authenticator 0 was not made by its constructor":        {&claims.Issuers{}},
		"Authenticator 0 is a nil function, as a constructor re": {authenticator(nil)},
	} {
		func() {
			defer func() { assert.Contains(t, fmt.Sprint(recover()), want) }()
			claims.FirstOf(auths...)
		}()
	}
	list := []claims.Authenticator{opaque{caller: says(t, m{"sub": "alice"})}}
	auth := claims.FirstOf(list...)
	list[0] = opaque{err: errors.New("changed")}
	_, err := auth.Authenticate(t.Context(), bearer("x"))
	assert.NoError(t, err, "the list is its own")
}
