package bench

import (
	"context"
	"log/slog"
	"testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

// uncachedVerifier checks the signature of every token.
func uncachedVerifier(tb testing.TB, w *world) *claims.Verifier {
	tb.Helper()
	cfg := sallyportConfig(tb, w)
	cfg.MaxTokens = -1
	return newVerifier(tb, cfg)
}

// cachedVerifier remembers the tokens that it has verified: as it does by
// default, but more of them.
func cachedVerifier(tb testing.TB, w *world) *claims.Verifier {
	tb.Helper()
	cfg := sallyportConfig(tb, w)
	cfg.MaxTokens = 10 * rememberedTokens
	return newVerifier(tb, cfg)
}

func startUncached(tb testing.TB, w *world, _ string) verify {
	tb.Helper()
	return verifyBy(uncachedVerifier(tb, w))
}

// startGranting has permissions read from the claims of each token.
func startGranting(tb testing.TB, w *world, _ string) verify {
	tb.Helper()
	cfg := sallyportConfig(tb, w)
	cfg.MaxTokens, cfg.PermissionClaims = -1, []string{"permissions"}
	return verifyBy(newVerifier(tb, cfg))
}

func startCached(tb testing.TB, w *world, _ string) verify {
	tb.Helper()
	return verifyBy(cachedVerifier(tb, w))
}

func verifyBy(auth claims.Authenticator) verify {
	return func(ctx context.Context, token string) (string, error) {
		caller, err := auth.Authenticate(ctx, claims.Credentials{Scheme: "Bearer", Token: token})
		if err != nil {
			return "", err
		}
		if !caller.HasScope(requiredScope) {
			return "", errScope
		}
		return caller.Subject(), nil
	}
}

func sallyportConfig(tb testing.TB, w *world) claims.Config {
	tb.Helper()
	keys, err := jwks.NewCache(jwks.Config{
		Issuer: w.issuer.URL(),
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return claims.Config{
		Issuer:    w.issuer.URL(),
		Audiences: []string{audience},
		Keys:      keys,
	}
}

func newVerifier(tb testing.TB, cfg claims.Config) *claims.Verifier {
	tb.Helper()
	verifier, err := claims.NewVerifier(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	return verifier
}
