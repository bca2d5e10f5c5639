package docs_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// newService is the service that the pages test.
func newService(auth claims.Authenticator) http.Handler {
	mux := httpmw.NewServeMux(httpmw.New(auth, httpmw.Config{}))
	mux.HandleFunc("GET /orders", claims.Scopes("orders:read"), listOrders)
	return mux
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	caller, _ := claims.FromContext(r.Context())
	_ = json.NewEncoder(w).Encode(map[string]string{"orders of": caller.Subject()})
}

func newVerifier(t *testing.T, issuer *claimstest.Issuer) *claims.Verifier {
	t.Helper()
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer.URL(),
		Audiences: []string{claimstest.Audience},
		KeyCache:  jwks.Config{Client: issuer.Client(), Logger: claimstest.Logger(t)},
	})
	require.NoError(t, err)
	return verifier
}

// get asks the service with a token.
func get(service http.Handler, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	service.ServeHTTP(w, r)
	return w
}

func TestOrders_needScope(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	service := newService(newVerifier(t, issuer))
	assert.Equal(t, 200, get(service, "/orders", issuer.Mint(claimstest.Token{Scope: "orders:read"})).Code)
	assert.Equal(t, 403, get(service, "/orders", issuer.Mint(claimstest.Token{})).Code)
	assert.Equal(t, 401, get(service, "/orders", "").Code)
}

func TestOrders_tokensThatNoIssuerMakes(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	service := newService(newVerifier(t, issuer))
	for name, token := range map[string]claimstest.Token{
		"expired":         {Scope: "orders:read", Lifetime: -time.Hour},
		"for another API": {Scope: "orders:read", Audience: []string{"https://other.example"}},
		"without exp":     {Scope: "orders:read", Claims: map[string]any{"exp": claimstest.Omit}},
		"not by us":       {Scope: "orders:read", Key: claimstest.MustKey("ES256")},
		"alg none":        {Scope: "orders:read", Header: map[string]any{"alg": "none"}},
	} {
		assert.Equal(t, 401, get(service, "/orders", issuer.Mint(token)).Code, name)
	}
}

func TestOrders_outage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes outside
		issuer, err := claimstest.New(claimstest.Config{
			URL: "https://issuer.example", Lifetime: 24 * time.Hour,
		})
		require.NoError(t, err)
		service := newService(newVerifier(t, issuer)) // it reaches the issuer in this process
		token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
		require.Equal(t, 200, get(service, "/orders", token).Code)

		issuer.Fail(http.StatusBadGateway)
		for range 60 { // an hour, with a request each minute
			time.Sleep(time.Minute)
			assert.Equal(t, 200, get(service, "/orders", token).Code, "the keys held are used")
		}
		time.Sleep(15 * time.Minute)
		answer := get(service, "/orders", token)
		assert.Equal(t, 503, answer.Code, "MaxStale has passed")
		assert.NotEmpty(t, answer.Header().Get("Retry-After"))

		issuer.Intercept(nil)
		time.Sleep(10 * time.Second)
		assert.Equal(t, 200, get(service, "/orders", token).Code, "and it recovers by itself")
	})
}

func TestOrders_rotation(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{})
	service := newService(newVerifier(t, issuer))
	require.Equal(t, 200, get(service, "/orders", issuer.Mint(claimstest.Token{Scope: "orders:read"})).Code)

	old := issuer.Key()
	issuer.Rotate("")
	issuer.Revoke(old)
	token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
	assert.Equal(t, 200, get(service, "/orders", token).Code, "in the request that shows it")
}

func TestListOrders_handlerAlone(t *testing.T) {
	alice, err := claims.FromJSON([]byte(`{"sub":"alice","permissions":["orders:refund"]}`),
		claims.Config{PermissionClaims: []string{"permissions"}})
	require.NoError(t, err)
	ctx := claims.NewContext(t.Context(), alice)
	w := httptest.NewRecorder()
	listOrders(w, httptest.NewRequestWithContext(ctx, "GET", "/orders", nil))
	assert.JSONEq(t, `{"orders of":"alice"}`, w.Body.String())
	assert.NoError(t, claims.Allowed(ctx, claims.Permissions("orders:refund")))
	assert.ErrorIs(t, claims.Allowed(ctx, claims.Permissions("orders:delete")), claims.ErrForbidden)
}

func TestOrders_keycloak(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{
		Profile: claims.Keycloak,
		Clients: []claimstest.Client{{
			ID: "importer", Secret: "secret", Permissions: []string{"clerk"},
		}},
	})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Profile: claims.Keycloak,
	})
	require.NoError(t, err)
	caller, err := verifier.Authenticate(t.Context(), claims.Credentials{
		Scheme: "Bearer",
		Token:  issuer.Mint(claimstest.Token{Subject: "u1", ClientID: "web", Permissions: []string{"clerk"}}),
	})
	require.NoError(t, err)
	assert.Equal(t, "web", caller.ClientID())
	assert.NoError(t, claims.Allowed(claims.NewContext(context.Background(), caller), claims.Permissions("clerk")))
}
