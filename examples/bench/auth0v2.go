package bench

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/auth0/go-jwt-middleware/v2/jwks"
	"github.com/auth0/go-jwt-middleware/v2/validator"
)

var errClaims = errors.New("bench: claims of an unexpected type")

// auth0Claims are the claims that auth0's validators, of either version, decode
// beside the registered ones.
type auth0Claims struct {
	Scope string `json:"scope"`
}

// Validate is called for each token; the scope is a matter of each operation.
func (*auth0Claims) Validate(context.Context) error { return nil }

// startAuth0v2 sets up github.com/auth0/go-jwt-middleware/v2.
func startAuth0v2(tb testing.TB, w *world, alg string) verify {
	tb.Helper()
	v := auth0v2Validator(tb, w, alg)
	return func(ctx context.Context, token string) (string, error) {
		validated, err := v.ValidateToken(ctx, token)
		if err != nil {
			return "", err
		}
		return auth0v2Subject(validated)
	}
}

func auth0v2Validator(tb testing.TB, w *world, alg string) *validator.Validator {
	tb.Helper()
	issuer, err := url.Parse(w.issuer.URL())
	if err != nil {
		tb.Fatal(err)
	}
	provider := jwks.NewCachingProvider(issuer, 5*time.Minute)
	v, err := validator.New(
		provider.KeyFunc,
		validator.SignatureAlgorithm(alg),
		w.issuer.URL(),
		[]string{audience},
		validator.WithCustomClaims(func() validator.CustomClaims { return &auth0Claims{} }),
	)
	if err != nil {
		tb.Fatal(err)
	}
	return v
}

func auth0v2Subject(validated any) (string, error) {
	claims, ok := validated.(*validator.ValidatedClaims)
	if !ok {
		return "", errClaims
	}
	custom, ok := claims.CustomClaims.(*auth0Claims)
	if !ok {
		return "", errClaims
	}
	if !hasScope(custom.Scope, requiredScope) {
		return "", errScope
	}
	return claims.RegisteredClaims.Subject, nil
}
