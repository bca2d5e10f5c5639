package claims_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

const entra = "https://login.example/{tenantid}/v2.0"

func TestTemplate(t *testing.T) {
	t.Parallel()
	issuer := newIssuer(t, claimstest.Config{URL: "https://login.example/common/v2.0"})
	keys, err := jwks.Parse(issuer.KeySet())
	require.NoError(t, err)
	cfg := claims.Config{
		Issuer:      entra,
		TrustTenant: func(tenant string) bool { return tenant != "stranger" },
		Audiences:   []string{claimstest.Audience},
		Keys:        keys,
	}
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	issuers, err := claims.NewIssuers(cfg, claims.Config{
		Issuer: "https://exact.example", Audiences: []string{"a"}, Keys: keys,
	})
	require.NoError(t, err)

	for iss, trusted := range map[string]bool{
		"https://login.example/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0": true,
		"https://login.example/contoso.example/v2.0":                      true,
		"https://login.example/" + strings.Repeat("a", 128) + "/v2.0":     true,
		"https://login.example/" + strings.Repeat("a", 129) + "/v2.0":     false,
		"https://login.example/aA_zZ-0.9/v2.0":                            true,
		"contoso.example/v2.0":                                            false,
		"https://login.example/stranger/v2.0":                             false,
		"https://login.example/{tenantid}/v2.0":                           false,
		"https://login.example//v2.0":                                     false,
		"https://login.example/./v2.0":                                    false,
		"https://login.example/../v2.0":                                   false,
		"https://login.example/v2.0":                                      false,
		"https://login.example/a/b/v2.0":                                  false,
		"https://login.example/a%2Fb/v2.0":                                false,
		"https://login.example/a?b/v2.0":                                  false,
		"https://login.example/a#b/v2.0":                                  false,
		"https://login.example/a/v2.0/":                                   false,
		"https://login.example/a/v2.00":                                   false,
		"https://login.example/ä/v2.0":                                    false,
		"http://login.example/a/v2.0":                                     false,
		"https://login.example.evil.example/a/v2.0":                       false,
		"https://other.example/a/v2.0":                                    false,
		"":                                                                false,
	} {
		for _, auth := range []claims.Authenticator{verifier, issuers} {
			caller, err := auth.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{
				Claims: map[string]any{"iss": iss},
			})))
			if trusted {
				require.NoError(t, err, iss)
				assert.Equal(t, iss, caller.Issuer())
				continue
			}
			require.Error(t, err, iss)
			assert.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason(), iss)
		}
	}
}

// Of the keys that all tenants share, one that names a tenant is that tenant's.
func TestTemplate_keysOfOneTenant(t *testing.T) {
	t.Parallel()
	const own, other = "https://login.example/own/v2.0", "https://login.example/other/v2.0"
	for name, row := range map[string]struct {
		keyIssuer string
		reason    claims.Reason
	}{
		"for all":     {entra, ""},
		"so spelt":    {"https://login.example/{tenant}/v2.0", ""},
		"elsewhere":   {"https://other.example/{tenantid}/v2.0", claims.ReasonUnknownKey},
		"not said":    {"", ""},
		"this tenant": {own, ""},
		"another":     {other, claims.ReasonUnknownKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{})
			members := issuer.Key().JWK()
			keys, err := jwks.Parse(fmt.Appendf(nil,
				`{"keys":[{"kty":"EC","crv":"P-256","kid":%q,"x":%q,"y":%q,"issuer":%q}]}`,
				members["kid"], members["x"], members["y"], row.keyIssuer))
			require.NoError(t, err)
			verifier, err := claims.NewVerifier(claims.Config{
				Issuer: entra, TrustTenant: func(string) bool { return true },
				Audiences: []string{claimstest.Audience}, Keys: keys,
			})
			require.NoError(t, err)
			_, err = verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{
				Claims: map[string]any{"iss": own},
			})))
			if row.reason == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			assert.Equal(t, row.reason, claims.AsError(err).Reason())
		})
	}
}

// A tenant's key counts for no other tenant beside one that does, and not among
// the 4 that are tried.
func TestTemplate_keysOfSeveralTenants(t *testing.T) {
	t.Parallel()
	own := newIssuer(t, claimstest.Config{})
	other := newIssuer(t, claimstest.Config{})
	keyOf := func(issuer *claimstest.Issuer, tenant string) *jwks.Key {
		jwk := issuer.Key().JWK()
		set, err := jwks.Parse(encodeJSON(m{"keys": []m{{
			"kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"], "kid": jwk["kid"],
			"issuer": "https://login.example/" + tenant + "/v2.0",
		}}}))
		require.NoError(t, err)
		return set.Keys()[0]
	}
	keys := []*jwks.Key{
		keyOf(other, "a"), keyOf(other, "b"), keyOf(other, "c"), keyOf(other, "d"), keyOf(own, "own"),
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: entra, TrustTenant: func(string) bool { return true },
		Audiences: []string{claimstest.Audience},
		Keys:      lookup(func() ([]*jwks.Key, error) { return keys, nil }),
	})
	require.NoError(t, err)
	named := claimstest.Token{Claims: map[string]any{"iss": "https://login.example/own/v2.0"}}
	_, err = verifier.Authenticate(t.Context(), bearer(own.Mint(named)))
	require.NoError(t, err)
	caller, err := verifier.Authenticate(t.Context(), bearer(other.Mint(named)))
	assertRefused(t, caller, err, claims.ReasonSignature)
}

func TestTemplate_mistakes(t *testing.T) {
	t.Parallel()
	any := func(string) bool { return true }
	keys := &jwks.Set{}
	for name, row := range map[string]struct {
		cfg  claims.Config
		want []string
	}{
		"nothing said": {
			claims.Config{Issuer: entra}, []string{"Config.TrustTenant is required", "Config.Keys is required"},
		},
		"tenant of nothing": {
			claims.Config{Issuer: "https://a.example", TrustTenant: any, Keys: keys},
			[]string{"Config.TrustTenant is set"},
		},
		"two":       {claims.Config{Issuer: "https://a.example/{a}/{b}"}, []string{"one \"{name}\""}},
		"unclosed":  {claims.Config{Issuer: "https://a.example/{a"}, []string{"one \"{name}\""}},
		"unopened":  {claims.Config{Issuer: "https://a.example/a}"}, []string{"without a \"{\""}},
		"no name":   {claims.Config{Issuer: "https://a.example/{}"}, []string{"one \"{name}\""}},
		"part":      {claims.Config{Issuer: "https://a.example/a{b}"}, []string{"whole path segment"}},
		"host":      {claims.Config{Issuer: "https://{host}/a"}, []string{"not leave the host open"}},
		"subdomain": {claims.Config{Issuer: "https://{host}.example/a"}, []string{"whole path segment"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			row.cfg.Audiences = []string{"a"}
			_, err := claims.NewVerifier(row.cfg)
			require.Error(t, err)
			for _, want := range row.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}
