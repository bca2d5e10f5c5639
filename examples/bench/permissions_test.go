package bench

import (
	"context"
	"testing"

	"github.com/sallyport-go/sallyport/claims"
)

// BenchmarkAuthorize measures both doors for a token that was verified before:
// what a requirement adds, where its permissions are from, and what it costs to
// tell somebody.
func BenchmarkAuthorize(b *testing.B) {
	w := newWorld(b)
	credentials := claims.Credentials{Scheme: "Bearer", Token: w.good(transportAlg)}
	for _, c := range authorizations(b) {
		b.Run(c.name, func(b *testing.B) {
			guard, err := claims.NewGuard(cachedVerifier(b, w), c.guard)
			if err != nil {
				b.Fatal(err)
			}
			op := claims.Operation{Protocol: "HTTP", Name: "GET /orders", Requirement: c.needs}
			authorize := func() error {
				_, err := guard.Authorize(b.Context(), op, credentials, nil)
				return err
			}
			if err := authorize(); err != nil { // fetches the keys
				b.Fatal(err)
			}
			measure(b, authorize)
		})
	}
}

type authorization struct {
	name  string
	guard claims.GuardConfig
	needs claims.Requirement
}

func authorizations(tb testing.TB) []authorization {
	tb.Helper()
	cache, err := claims.NewPermissionCache(grantAll{}, claims.PermissionCacheConfig{})
	if err != nil {
		tb.Fatal(err)
	}
	var outcomes int
	observed := func(_ context.Context, d claims.Decision) { outcomes += len(d.Outcome()) }
	scopes := claims.Scopes(requiredScope)
	return []authorization{
		{"needs=token", claims.GuardConfig{}, claims.Authenticated()},
		{"needs=scope", claims.GuardConfig{}, scopes},
		{"needs=scope/observed", claims.GuardConfig{Observer: observed}, scopes},
		{
			"needs=permission", claims.GuardConfig{Permissions: cache},
			claims.All(scopes, claims.Permissions("orders:archive")),
		},
		{
			"needs=permission/workspace", claims.GuardConfig{Permissions: cache},
			claims.All(scopes, claims.InWorkspace("acme", claims.Permissions("orders:write"))),
		},
	}
}

// grantAll grants everybody the same.
type grantAll struct{}

func (grantAll) Permissions(context.Context, claims.Principal) (claims.Grants, error) {
	return claims.Grants{
		Permissions: []string{"orders:archive"},
		Workspaces:  map[string][]string{"acme": {"orders:read", "orders:write"}},
	}, nil
}
