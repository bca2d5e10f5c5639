package claims_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestVerifier_claimChecks(t *testing.T) {
	t.Parallel()
	require := func(names ...string) func(*claims.Config) {
		return func(cfg *claims.Config) { cfg.RequiredClaims = names }
	}
	forbid := func(names ...string) func(*claims.Config) {
		return func(cfg *claims.Config) { cfg.ForbiddenClaims = names }
	}
	kind := func(name string, values ...string) func(*claims.Config) {
		return func(cfg *claims.Config) { cfg.ClaimValues = map[string][]string{name: values} }
	}
	clients := func(claim string, ids ...string) func(*claims.Config) {
		return func(cfg *claims.Config) { cfg.ClientIDs, cfg.ClientIDClaim = ids, claim }
	}
	permissions := func(paths ...string) func(*claims.Config) {
		return func(cfg *claims.Config) { cfg.PermissionClaims = paths }
	}
	idTokens := func(cfg *claims.Config) { cfg.InsecureAllowIDTokens = true }
	for _, tt := range []struct {
		name   string
		change func(*claims.Config)
		claims m
		reason claims.Reason
	}{
		{name: "required", change: require("x", "jti"), claims: m{"x": "1"}},
		{name: "required, missing", change: require("jti", "x"), reason: claims.ReasonClaims},
		{name: "required, null", change: require("x"), claims: m{"x": nil}, reason: claims.ReasonClaims},
		{name: "required, empty", change: require("x"), claims: m{"x": ""}, reason: claims.ReasonClaims},
		{name: "required, empty array", change: require("x"), claims: m{"x": []any{}}, reason: claims.ReasonClaims},
		{name: "required, empty object", change: require("x"), claims: m{"x": m{}}, reason: claims.ReasonClaims},
		{name: "required, empty subject", change: require("sub"), claims: m{"sub": ""}, reason: claims.ReasonClaims},
		{name: "required, array", change: require("x"), claims: m{"x": []any{nil}}},
		{name: "required, object", change: require("x"), claims: m{"x": m{"": nil}}},
		{name: "required, false", change: require("x"), claims: m{"x": false}},
		{name: "required, a bracket in a string", change: require("x"), claims: m{"x": "]"}},
		{name: "required, zero", change: require("x"), claims: m{"x": 0}},
		{name: "required, another case", change: require("x"), claims: m{"X": 1}, reason: claims.ReasonMalformed},
		{name: "required, another case beside it", change: require("x"), claims: m{"x": 1, "X": 1}, reason: claims.ReasonMalformed},
		{name: "required in capitals", change: require("X"), claims: m{"X": 1}},
		{name: "required in capitals, in lower case", change: require("X"), claims: m{"X": 1, "x": 1}, reason: claims.ReasonMalformed},
		{name: "forbidden, another case", change: forbid("nonce"), claims: m{"Nonce": 1}, reason: claims.ReasonMalformed},
		{name: "forbidden in capitals, in lower case", change: forbid("Nonce"), claims: m{"nonce": 1}, reason: claims.ReasonMalformed},
		{name: "at_hash in another case", claims: m{"aT_hash": 1}, reason: claims.ReasonMalformed},
		{name: "value, another case beside it", change: kind("a", "b"), claims: m{"a": "b", "A": "c"}, reason: claims.ReasonMalformed},
		{name: "client, another case", change: clients("cid", "app"), claims: m{"cid": "app", "CID": "x"}, reason: claims.ReasonMalformed},
		{name: "permissions, long s", change: permissions("roles"), claims: m{"roles": "a", "roleſ": "b"}, reason: claims.ReasonMalformed},
		{name: "permissions by path, another case", change: permissions("realm_access.roles"), claims: m{"Realm_access": m{}}, reason: claims.ReasonMalformed},
		{name: "another case of a claim that nobody names", claims: m{"roles": "a", "Roles": "b"}},
		{name: "required, deeper", change: require("x"), claims: m{"y": m{"x": 1}}, reason: claims.ReasonClaims},
		{name: "first of two", change: require("x|y"), claims: m{"x": 1}},
		{name: "second of two", change: require("x|y"), claims: m{"y": 1}},
		{name: "second of two, the first empty", change: require("x|y"), claims: m{"x": "", "y": 1}},
		{name: "neither of two", change: require("x|y"), claims: m{"x|y": 1}, reason: claims.ReasonClaims},

		{name: "not forbidden", change: forbid("nonce")},
		{name: "forbidden", change: forbid("a", "nonce"), claims: m{"nonce": "1"}, reason: claims.ReasonType},
		{name: "forbidden, null", change: forbid("nonce"), claims: m{"nonce": nil}, reason: claims.ReasonType},
		{name: "at_hash", claims: m{"at_hash": "x"}, reason: claims.ReasonType},
		{name: "c_hash", claims: m{"c_hash": "x"}, reason: claims.ReasonType},
		{name: "s_hash", claims: m{"s_hash": "x"}, reason: claims.ReasonType},
		{name: "at_hash, beside others", change: forbid("nonce"), claims: m{"at_hash": "x"}, reason: claims.ReasonType},
		{name: "at_hash, allowed", change: idTokens, claims: m{"at_hash": "x", "c_hash": "x", "s_hash": "x"}},
		{name: "events", claims: m{"events": m{"http://x.example": m{}}}, reason: claims.ReasonType},
		{name: "events, ID tokens allowed", change: idTokens, claims: m{"events": m{}}, reason: claims.ReasonType},
		{name: "events of another kind", claims: m{"events": []string{"x"}}},
		{name: "nonce, which some access tokens have", claims: m{"nonce": "x"}},

		{name: "value", change: kind("token_use", "x", "access"), claims: m{"token_use": "access"}},
		{name: "value escaped", change: kind("a", "é\""), claims: m{"a": "é\""}},
		{name: "value, another", change: kind("token_use", "access"), claims: m{"token_use": "id"}, reason: claims.ReasonType},
		{name: "value, missing", change: kind("token_use", "access"), reason: claims.ReasonType},
		{name: "value empty, missing", change: kind("a", "", "b"), reason: claims.ReasonType},
		{name: "value empty", change: kind("a", "", "b"), claims: m{"a": ""}},
		{name: "value, empty and missing", change: kind("token_use", "access"), claims: m{"token_use": ""}, reason: claims.ReasonType},
		{name: "value in an array", change: kind("a", "b"), claims: m{"a": []string{"b"}}, reason: claims.ReasonType},
		{name: "value, longer", change: kind("a", "b"), claims: m{"a": "bb"}, reason: claims.ReasonType},
		{name: "value, number", change: kind("ver", "1"), claims: m{"ver": 1}},
		{name: "value, true", change: kind("email_verified", "true"), claims: m{"email_verified": true}},
		{name: "value, false", change: kind("email_verified", "true"), claims: m{"email_verified": false}, reason: claims.ReasonType},

		{name: "client", change: clients("", "web", "shop")},
		{name: "client, another", change: clients("", "sho"), reason: claims.ReasonClient},
		{name: "client, none", change: clients("", "shop"), claims: m{"client_id": claimstest.Omit}, reason: claims.ReasonClient},
		{name: "client by azp", change: clients("", "app"), claims: m{"client_id": claimstest.Omit, "azp": "app"}},
		{name: "client, client_id before azp", change: clients("", "app"), claims: m{"azp": "app"}, reason: claims.ReasonClient},
		{name: "client by its claim", change: clients("cid", "app"), claims: m{"cid": "app"}},
		{name: "client by its claim alone", change: clients("cid", "shop"), reason: claims.ReasonClient},
		{name: "client by a claim that is no string", change: clients("cid", "[1]"), claims: m{"cid": []int{1}}, reason: claims.ReasonClient},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, err := offline(t, tt.change).Authenticate(t.Context(),
				bearer(forged(head(nil), body(tt.claims))))
			if tt.reason != "" {
				assertRefused(t, caller, err, tt.reason)
				return
			}
			assert.NoError(t, err)
		})
	}
}

// With more members than fit without a map, claims are found as well.
func TestVerifier_claimChecks_manyMembers(t *testing.T) {
	t.Parallel()
	many := m{"roles": []string{"admin"}, "token_use": "access", "cid": "app"}
	for i := range 40 {
		many["x"+string(rune('A'+i))] = i
	}
	verifier := offline(t, func(cfg *claims.Config) {
		cfg.RequiredClaims = []string{"cid"}
		cfg.ClaimValues = map[string][]string{"token_use": {"access"}}
		cfg.ClientIDClaim = "cid"
		cfg.PermissionClaims = []string{"roles"}
	})
	caller, err := verifier.Authenticate(t.Context(), bearer(forged(head(nil), body(many))))
	require.NoError(t, err)
	assert.Equal(t, "app", caller.ClientID())
	assert.Equal(t, []string{"admin"}, caller.Permissions())

	many["at_hash"] = "x"
	caller, err = verifier.Authenticate(t.Context(), bearer(forged(head(nil), body(many))))
	assertRefused(t, caller, err, claims.ReasonType)
}

// White space around values does not count, at any depth.
func TestVerifier_claimChecks_whiteSpace(t *testing.T) {
	t.Parallel()
	verifier := offline(t, func(cfg *claims.Config) {
		cfg.RequiredClaims = []string{"list"}
		cfg.ClaimValues = map[string][]string{"token_use": {"access"}, "ver": {"1"}}
		cfg.ClientIDClaim = "cid"
		cfg.PermissionClaims = []string{"roles", "realm.roles"}
	})
	spaced := func(list string) string {
		return forged(head(nil), with(body(nil), ` "list" : `+list+` , "token_use" : "access" ,
			"ver" : 1 , "cid" : "app" , "roles" : [ "a" ] , "realm" : { "roles" : [ "b" ] } `))
	}
	caller, err := verifier.Authenticate(t.Context(), bearer(spaced(`[ 1 ]`)))
	require.NoError(t, err)
	assert.Equal(t, "app", caller.ClientID())
	assert.Equal(t, []string{"a", "b"}, caller.Permissions())
	for _, empty := range []string{`[ ]`, `{ }`, `""`, `null`} {
		caller, err = verifier.Authenticate(t.Context(), bearer(spaced(empty)))
		assertRefused(t, caller, err, claims.ReasonClaims)
	}
}

func TestVerifier_ageAndLifetime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		at := func(d time.Duration) int64 { return now.Add(d).Unix() }
		aged := func(cfg *claims.Config) { cfg.MaxTokenAge = time.Hour }
		brief := func(cfg *claims.Config) { cfg.MaxLifetime = time.Hour }
		for _, tt := range []struct {
			name   string
			change func(*claims.Config)
			claims m
			reason claims.Reason
		}{
			{"age within", aged, m{"iat": at(-time.Hour - 29*time.Second)}, ""},
			{"age at the end", aged, m{"iat": at(-time.Hour - 30*time.Second)}, claims.ReasonTooOld},
			{"age, no iat", aged, m{"iat": claimstest.Omit}, claims.ReasonClaims},
			{"age of an expired token", aged, m{"iat": longAgo, "exp": longAgo}, claims.ReasonExpired},
			{"lifetime", brief, m{"iat": at(-10 * time.Second), "exp": at(time.Hour - 10*time.Second)}, ""},
			{"lifetime, a second more", brief, m{"iat": at(0), "exp": at(time.Hour + time.Second)}, claims.ReasonLifetime},
			{"lifetime, no iat", brief, m{"iat": claimstest.Omit, "exp": at(time.Minute)}, claims.ReasonClaims},
			{"neither", nil, m{"iat": longAgo}, ""},
			{"neither, no iat", nil, m{"iat": claimstest.Omit}, ""},
		} {
			caller, err := offline(t, tt.change).Authenticate(t.Context(),
				bearer(forged(head(nil), body(tt.claims))))
			if tt.reason == "" {
				assert.NoError(t, err, tt.name)
				continue
			}
			assertRefused(t, caller, err, tt.reason)
		}
	})
}

func TestVerifier_ownCheck(t *testing.T) {
	t.Parallel()
	secret := errors.New("token 1 of alice is on the list")
	for _, tt := range []struct {
		name   string
		err    error
		class  error
		reason claims.Reason
	}{
		{name: "passes"},
		{name: "refuses", err: secret, class: claims.ErrInvalidToken, reason: claims.ReasonRejected},
		{
			name: "says it is forbidden", err: errors.Join(claims.ErrForbidden, secret),
			class: claims.ErrInvalidToken, reason: claims.ReasonRejected,
		},
		{
			name: "cannot tell", err: errors.Join(claims.ErrUnavailable, secret),
			class: claims.ErrUnavailable, reason: claims.ReasonUndecided,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			ctx := context.WithValue(t.Context(), key{}, "request")
			called := 0
			verifier := offline(t, func(cfg *claims.Config) {
				cfg.PermissionClaims = []string{"scope"}
				cfg.Check = func(ctx context.Context, caller *claims.Claims) error {
					called++
					assert.Equal(t, "request", ctx.Value(key{}))
					assert.Equal(t, "alice", caller.Subject())
					assert.True(t, slices.Contains(caller.Permissions(), "orders:read"))
					return tt.err
				}
			})
			caller, err := verifier.Authenticate(ctx, bearer(forged(head(nil), body(nil))))
			assert.Equal(t, 1, called)
			if tt.err == nil {
				require.NoError(t, err)
				return
			}
			assert.Nil(t, caller)
			refusal := claims.AsError(err)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.reason, refusal.Reason())
			assert.ErrorIs(t, err, secret, "for the log")
			assert.NotContains(t, refusal.Error()+refusal.Text(), "alice")

			caller, err = verifier.Authenticate(ctx, bearer(forged(head(nil), body(m{"exp": longAgo}))))
			assertRefused(t, caller, err, claims.ReasonExpired)
			caller, err = verifier.Authenticate(ctx, bearer(resigned(func(s []byte) []byte {
				s[0] ^= 1
				return s
			})))
			assertRefused(t, caller, err, claims.ReasonSignature)
			assert.Equal(t, 1, called, "only a verified token is shown to it")
		})
	}
}

// Among many members, too, one that looks like a claim of the Config's is
// noticed.
func TestRequiredClaims_variantAmongMany(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{})
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.RequiredClaims = []string{"tenant"} })
	for _, n := range []int{0, 5, 40} {
		token := claimstest.Token{Claims: m{"tenant": "a"}}
		for i := range n {
			token.Claims[fmt.Sprint("claim", i)] = i
		}
		_, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(token)))
		require.NoError(t, err, n)
		token.Claims["Tenant"] = "b"
		_, err = verifier.Authenticate(t.Context(), bearer(issuer.Mint(token)))
		require.Error(t, err, n)
		assert.Equal(t, claims.ReasonMalformed, claims.AsError(err).Reason(), n)
	}
}
