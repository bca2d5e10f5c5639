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
	"github.com/sallyport-go/sallyport/jwks"
)

// An issuer that is trusted but for its spelling is refused, and the cause and
// Explain say in what it differs, whatever tells the issuers.
func TestExplain_nearIssuer(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	const open = "https://sts.example/{tenant}/"
	configOf := func(issuer string) claims.Config {
		cfg := claims.Config{Issuer: issuer, Audiences: []string{claimstest.Audience}, Keys: set}
		if issuer == open {
			cfg.TrustTenant = func(tenant string) bool { return tenant == "good" }
		}
		return cfg
	}
	for _, tt := range []struct {
		name, trusted, issuer, how string // how empty for what is not near
	}{
		{name: "slash missing in the Config", trusted: "https://a.example", issuer: "https://a.example/", how: "the final slash"},
		{name: "slash missing in the token", trusted: "https://a.example/", issuer: "https://a.example", how: "the final slash"},
		{name: "case", trusted: "https://a.example/Realms/x", issuer: "https://A.example/realms/x", how: "case"},
		{name: "scheme", trusted: "https://accounts.google.com", issuer: "accounts.google.com", how: "the scheme"},
		{name: "another scheme", trusted: "https://a.example/x", issuer: "http://a.example/x", how: "the scheme"},
		{name: "port", trusted: "https://a.example/x", issuer: "https://a.example:443/x", how: "the port"},
		{name: "white space", trusted: "https://a.example", issuer: "https://a.example\n", how: "white space around it"},
		{
			name: "metadata", trusted: "https://a.example", how: "the path of its metadata",
			issuer: "https://a.example/.well-known/openid-configuration",
		},
		{
			name: "several", trusted: "https://a.example", issuer: "http://A.example/",
			how: "case and the final slash and the scheme",
		},
		{name: "open, slash", trusted: open, issuer: "https://sts.example/good", how: "the final slash"},
		{name: "open, another tenant", trusted: open, issuer: "https://sts.example/bad/"},
		{name: "another host", trusted: "https://a.example", issuer: "https://b.example"},
		{name: "another path", trusted: "https://a.example/x", issuer: "https://a.example/y"},
		{name: "a part of it", trusted: "https://a.example/x", issuer: "https://a.example"},
		{name: "nothing", trusted: "https://a.example", issuer: ""},
		{name: "long", trusted: "https://a.example", issuer: "https://a.example" + strings.Repeat("/", 2000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			verifier, err := claims.NewVerifier(configOf(tt.trusted))
			require.NoError(t, err)
			issuers, err := claims.NewIssuers(configOf("https://other.example"), configOf(tt.trusted))
			require.NoError(t, err)
			explainers := map[string]interface {
				claims.Authenticator
				Explain(context.Context, string) claims.Explanation
			}{"Verifier": verifier, "Issuers": issuers}
			if tt.trusted != open {
				tenants, err := claims.NewTenants(func(_ context.Context, issuer string) (claims.Config, error) {
					if issuer != tt.trusted {
						return claims.Config{}, claims.ErrUntrusted
					}
					return configOf(issuer), nil
				}, claims.TenantsConfig{})
				require.NoError(t, err)
				require.NoError(t, tenants.Explain(t.Context(), forged(head(nil), body(m{"iss": tt.trusted}))).Err)
				explainers["Tenants"] = tenants
			}
			token := forged(head(nil), body(m{"iss": tt.issuer, "aud": "x"}))
			for name, auth := range explainers {
				e := auth.Explain(t.Context(), token)
				found := resultOf(t, e, "issuer")
				assert.Equal(t, "refused", found.Verdict, name)
				assert.Equal(t, claims.ReasonIssuer, found.Reason, name)
				_, err := auth.Authenticate(t.Context(), bearer(token))
				assert.Equal(t, claims.ReasonIssuer, claims.AsError(err).Reason(), name)
				if tt.how == "" {
					assert.NotContains(t, found.Found, "differs", name)
					continue
				}
				assert.Contains(t, found.Found, fmt.Sprintf("differs from %q in %s", tt.trusted, tt.how), name)
				// The rules of the one that was meant tell what else is wrong.
				assert.Equal(t, "refused", resultOf(t, e, "audience").Verdict, name)
				if name == "Tenants" { // which are too many to compare with each time
					continue
				}
				assert.EqualError(t, errors.Unwrap(err), fmt.Sprintf(
					"claims: iss differs from the trusted issuer %q in %s", tt.trusted, tt.how), name)
			}
		})
	}
}

// With more issuers than a few nobody can make a refusal dear.
func TestIssuers_nearOfMany(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	var trusted []claims.Config
	for i := range 50 {
		trusted = append(trusted, claims.Config{
			Issuer: fmt.Sprintf("https://%d.example", i), Audiences: []string{"x"}, Keys: set,
		})
	}
	issuers, err := claims.NewIssuers(trusted...)
	require.NoError(t, err)
	token := forged(head(nil), body(m{"iss": "https://7.example/"}))
	_, err = issuers.Authenticate(t.Context(), bearer(token))
	require.NoError(t, errors.Unwrap(err))
	assert.Contains(t, resultOf(t, issuers.Explain(t.Context(), token), "issuer").Found, "the final slash")
}

// How long the token of one of several issuers may be shows at its issuer, and
// what TrustTenant refuses is said so.
func TestIssuers_Explain(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	issuers, err := claims.NewIssuers(
		claims.Config{Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: set, MaxTokenSize: 1000},
		claims.Config{
			Issuer: "https://sts.example/{tenant}/", Audiences: []string{claimstest.Audience}, Keys: set,
			TrustTenant: func(string) bool { return false }, MaxTokenSize: 2000,
		},
	)
	require.NoError(t, err)
	result := resultOf(t, issuers.Explain(t.Context(), sized(1500)), "issuer")
	assert.Equal(t, claims.ReasonTooLarge, result.Reason)
	assert.Equal(t, "1500 bytes", result.Found)
	assert.Equal(t, "at most 1000 bytes for a token of this issuer", result.Wanted)
	result = resultOf(t, issuers.Explain(t.Context(), sized(2500)), "form")
	assert.Equal(t, claims.ReasonTooLarge, result.Reason)
	assert.Contains(t, result.Wanted, "at most 2000 bytes")

	foreign := forged(head(nil), body(m{"iss": "https://sts.example/bad/"}))
	result = resultOf(t, issuers.Explain(t.Context(), foreign), "issuer")
	assert.Contains(t, result.Wanted, `"https://sts.example/{tenant}/"`)
	assert.Contains(t, result.Found, `which Config.TrustTenant of "https://sts.example/{tenant}/" does not trust`)
	assert.Equal(t, "passed", resultOf(t, issuers.Explain(t.Context(), foreign), "audience").Verdict)
}

// Where it cannot be told whether an issuer is trusted, that is what it says.
func TestVerifier_Explain_undecidedIssuer(t *testing.T) {
	t.Parallel()
	verifier := offline(t, func(cfg *claims.Config) {
		cfg.Issuer, cfg.TrustTenant = "https://sts.example/{tenant}/", func(string) bool { panic("lost") }
		set, err := jwks.Parse(issuerKeySet())
		require.NoError(t, err)
		cfg.Keys = set
	})
	result := resultOf(t, verifier.Explain(t.Context(), forged(head(nil), body(m{"iss": "https://sts.example/a/"}))), "issuer")
	assert.Equal(t, claims.ReasonIssuerUndecided, result.Reason)
	assert.Contains(t, result.Found, "Config.TrustTenant panicked: lost")
	assert.NotContains(t, result.Found, "goroutine")
}
