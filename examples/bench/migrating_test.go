package bench

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	jwtmiddleware "github.com/auth0/go-jwt-middleware/v3"
	auth0jwks "github.com/auth0/go-jwt-middleware/v3/jwks"
	"github.com/auth0/go-jwt-middleware/v3/validator"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// The same service by each library, as its users write it and the page about
// migrating shows it: one route, GET /orders, for the scope orders:read.

func orders(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("orders")) }

type scopeClaims struct {
	Scope string `json:"scope"`
}

func (c *scopeClaims) Validate(context.Context) error { return nil }

func auth0Service(issuer string) (http.Handler, error) {
	issuerURL, err := url.Parse(issuer)
	if err != nil {
		return nil, err
	}
	provider, err := auth0jwks.NewCachingProvider(auth0jwks.WithIssuerURL(issuerURL))
	if err != nil {
		return nil, err
	}
	v, err := validator.New(
		validator.WithKeyFunc(provider.KeyFunc),
		validator.WithAlgorithm(validator.ES256),
		validator.WithIssuer(issuer),
		validator.WithAudience(audience),
		validator.WithAllowedClockSkew(30*time.Second),
		validator.WithCustomClaims(func() *scopeClaims { return &scopeClaims{} }),
	)
	if err != nil {
		return nil, err
	}
	middleware, err := jwtmiddleware.New(jwtmiddleware.WithValidator(v))
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", middleware.CheckJWT(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			token, err := jwtmiddleware.GetClaims[*validator.ValidatedClaims](r.Context())
			if err != nil {
				http.Error(w, "unauthorized", http.StatusUnauthorized)
				return
			}
			custom, _ := token.CustomClaims.(*scopeClaims)
			if custom == nil || !hasScope(custom.Scope, "orders:read") {
				http.Error(w, "forbidden", http.StatusForbidden)
				return
			}
			orders(w, r)
		})))
	return mux, nil
}

func goOIDCService(issuer string) (http.Handler, error) {
	provider, err := oidc.NewProvider(context.Background(), issuer)
	if err != nil {
		return nil, err
	}
	verifier := provider.Verifier(&oidc.Config{
		ClientID: audience, SupportedSigningAlgs: []string{"ES256"},
	})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		token, err := verifier.Verify(r.Context(), raw)
		if err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var own scopeClaims
		if err := token.Claims(&own); err != nil || !hasScope(own.Scope, "orders:read") {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		orders(w, r)
	})
	return mux, nil
}

type jwtClaims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

func keyfuncService(ctx context.Context, issuer, keySet string) (http.Handler, error) {
	keys, err := keyfunc.NewDefaultCtx(ctx, []string{keySet})
	if err != nil {
		return nil, err
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"ES256", "RS256"}),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(30*time.Second),
	)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		raw, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		var own jwtClaims
		if _, err := parser.ParseWithClaims(raw, &own, keys.Keyfunc); err != nil {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		if !hasScope(own.Scope, "orders:read") {
			http.Error(w, "forbidden", http.StatusForbidden)
			return
		}
		orders(w, r)
	})
	return mux, nil
}

func sallyportService(issuer string) (http.Handler, error) {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
	})
	if err != nil {
		return nil, err
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{}))
	mux.HandleFunc("GET /orders", claims.Scopes("orders:read"), orders)
	return mux, nil
}

// shadowed serves by the old middleware, and records what the new one would
// say.
func shadowed(old http.Handler, verifier *claims.Verifier, observer claims.Observer) http.Handler {
	auth := httpmw.New(verifier, httpmw.Config{Observer: observer})
	needs := claims.Scopes("orders:read")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = auth.Admit(r, needs) // the observer is told; nothing is refused
		old.ServeHTTP(w, r)
	})
}

// tenantRequirement is what a hand-written check of a claim becomes.
func tenantRequirement() claims.Requirement {
	return claims.RequestFunc("caller's tenant",
		func(_ context.Context, caller *claims.Claims, r *http.Request) (bool, error) {
			var own struct {
				Tenant string `json:"tenant"`
			}
			if err := caller.Decode(&own); err != nil {
				return false, claims.ErrForbidden
			}
			return own.Tenant == r.PathValue("tenant"), nil
		})
}

var errRevoked = errors.New("revoked")

// validated is what a Validate method of custom claims becomes.
func validated(issuer string, isRevoked func(id string) bool) claims.Config {
	return claims.Config{
		Issuer:         issuer,
		Audiences:      []string{audience},
		RequiredClaims: []string{"tenant"},
		Check: func(_ context.Context, caller *claims.Claims) error {
			if isRevoked(caller.ID()) {
				return errRevoked
			}
			return nil
		},
	}
}
