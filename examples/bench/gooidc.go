package bench

import (
	"context"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

// startGoOIDC sets up github.com/coreos/go-oidc/v3, whose verifier of ID tokens
// many services use for access tokens; the audience stands in for a client ID.
func startGoOIDC(tb testing.TB, w *world, alg string) verify {
	tb.Helper()
	provider, err := oidc.NewProvider(tb.Context(), w.issuer.URL())
	if err != nil {
		tb.Fatal(err)
	}
	verifier := provider.Verifier(&oidc.Config{
		ClientID:             audience,
		SupportedSigningAlgs: []string{alg},
	})
	return func(ctx context.Context, token string) (string, error) {
		verified, err := verifier.Verify(ctx, token)
		if err != nil {
			return "", err
		}
		var claims struct {
			Scope string `json:"scope"`
		}
		if err := verified.Claims(&claims); err != nil {
			return "", err
		}
		if !hasScope(claims.Scope, requiredScope) {
			return "", errScope
		}
		return verified.Subject, nil
	}
}
