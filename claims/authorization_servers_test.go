package claims_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// lister is an Authenticator that lists its issuers, or panics.
type lister struct {
	claims.Authenticator
	list []string
}

func (l lister) AuthorizationServers() []string {
	if l.list == nil {
		panic("none")
	}
	return l.list
}

func TestAuthorizationServers(t *testing.T) {
	t.Parallel()
	const a, b = "https://a.example", "https://b.example"
	config := func(issuer string) claims.Config {
		return claims.Config{Issuer: issuer, Audiences: []string{"x"}}
	}
	verifier, err := claims.NewVerifier(config(a))
	require.NoError(t, err)
	issuers, err := claims.NewIssuers(config(b), config(a))
	require.NoError(t, err)
	several, err := claims.NewIssuers(openConfig(t, newIssuer(t, claimstest.Config{})), config(a))
	require.NoError(t, err)
	tenants, err := claims.NewTenants(func(context.Context, string) (claims.Config, error) {
		return config(a), nil
	}, claims.TenantsConfig{})
	require.NoError(t, err)
	stranger := struct{ claims.Authenticator }{lister{}}
	type embedding struct{ *claims.Verifier }
	for name, row := range map[string]struct {
		auth claims.Authenticator
		want []string
		all  bool
	}{
		"one":                 {verifier, []string{a}, true},
		"several, sorted":     {issuers, []string{a, b}, true},
		"one leaves it open":  {several, []string{a}, false},
		"tenants":             {tenants, nil, false},
		"nil":                 {nil, nil, false},
		"a nil pointer":       {(*claims.Verifier)(nil), nil, false},
		"not made":            {&claims.Issuers{}, nil, false},
		"of one's own":        {stranger, nil, false},
		"that lists":          {lister{stranger, []string{b, a, b}}, []string{a, b}, true},
		"that lists none":     {lister{stranger, []string{}}, []string{}, true},
		"that panics":         {lister{stranger, nil}, nil, false},
		"embeds one":          {embedding{verifier}, []string{a}, true},
		"each of several":     {claims.FirstOf(verifier, lister{stranger, []string{b}}), []string{a, b}, true},
		"several and tenants": {claims.FirstOf(issuers, tenants), []string{a, b}, false},
	} {
		got, all := claims.AuthorizationServers(row.auth)
		assert.Equal(t, row.want, got, name)
		assert.Equal(t, row.all, all, name)
	}
	issuers.Remove(a)
	got, _ := claims.AuthorizationServers(issuers)
	assert.Equal(t, []string{b}, got, "those that are trusted now")
}
