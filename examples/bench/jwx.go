package bench

import (
	"context"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jwt"
)

// startJWX sets up github.com/lestrrat-go/jwx/v2 with a cached key set.
func startJWX(tb testing.TB, w *world, _ string) verify {
	tb.Helper()
	cache := jwk.NewCache(tb.Context())
	err := cache.Register(w.issuer.JWKSURL(), jwk.WithMinRefreshInterval(15*time.Minute))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := cache.Refresh(tb.Context(), w.issuer.JWKSURL()); err != nil {
		tb.Fatal(err)
	}
	keys := jwk.NewCachedSet(cache, w.issuer.JWKSURL())
	return func(ctx context.Context, token string) (string, error) {
		parsed, err := jwt.ParseString(token,
			jwt.WithKeySet(keys),
			jwt.WithIssuer(w.issuer.URL()),
			jwt.WithAudience(audience),
			jwt.WithRequiredClaim(jwt.ExpirationKey),
			jwt.WithContext(ctx),
		)
		if err != nil {
			return "", err
		}
		claim, _ := parsed.Get("scope")
		if scope, _ := claim.(string); !hasScope(scope, requiredScope) {
			return "", errScope
		}
		return parsed.Subject(), nil
	}
}
