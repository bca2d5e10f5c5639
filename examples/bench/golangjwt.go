package bench

import (
	"context"
	"testing"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

type golangJWTClaims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

// startGolangJWT sets up github.com/golang-jwt/jwt/v5 with keys of
// github.com/MicahParks/keyfunc/v3.
func startGolangJWT(tb testing.TB, w *world, alg string) verify {
	tb.Helper()
	keys, err := keyfunc.NewDefaultCtx(tb.Context(), []string{w.issuer.JWKSURL()})
	if err != nil {
		tb.Fatal(err)
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{alg}),
		jwt.WithIssuer(w.issuer.URL()),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
	)
	return func(_ context.Context, token string) (string, error) {
		var claims golangJWTClaims
		if _, err := parser.ParseWithClaims(token, &claims, keys.Keyfunc); err != nil {
			return "", err
		}
		if !hasScope(claims.Scope, requiredScope) {
			return "", errScope
		}
		return claims.Subject, nil
	}
}
