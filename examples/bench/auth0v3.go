package bench

import (
	"context"
	"net/url"
	"testing"

	"github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"
)

// startAuth0v3 sets up github.com/auth0/go-jwt-middleware/v3.
func startAuth0v3(tb testing.TB, w *world, alg string) verify {
	tb.Helper()
	v := auth0v3Validator(tb, w, alg)
	return func(ctx context.Context, token string) (string, error) {
		validated, err := v.ValidateToken(ctx, token)
		if err != nil {
			return "", err
		}
		claims, ok := validated.(*validator.ValidatedClaims)
		if !ok {
			return "", errClaims
		}
		return auth0v3Subject(claims)
	}
}

func auth0v3Validator(tb testing.TB, w *world, alg string) *validator.Validator {
	tb.Helper()
	issuer, err := url.Parse(w.issuer.URL())
	if err != nil {
		tb.Fatal(err)
	}
	provider, err := jwks.NewCachingProvider(jwks.WithIssuerURL(issuer))
	if err != nil {
		tb.Fatal(err)
	}
	v, err := validator.New(
		validator.WithKeyFunc(provider.KeyFunc),
		validator.WithAlgorithm(validator.SignatureAlgorithm(alg)),
		validator.WithIssuer(w.issuer.URL()),
		validator.WithAudience(audience),
		validator.WithCustomClaims(func() *auth0Claims { return &auth0Claims{} }),
	)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func auth0v3Subject(claims *validator.ValidatedClaims) (string, error) {
	custom, ok := claims.CustomClaims.(*auth0Claims)
	if !ok {
		return "", errClaims
	}
	if !hasScope(custom.Scope, requiredScope) {
		return "", errScope
	}
	return claims.RegisteredClaims.Subject, nil
}
