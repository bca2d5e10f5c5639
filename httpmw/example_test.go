package httpmw_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

var (
	verifier, _ = claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	auth                    = httpmw.New(verifier, httpmw.Config{})
	listOrders, createOrder = http.NotFoundHandler(), http.NotFoundHandler()
)

func healthz(http.ResponseWriter, *http.Request) {}

func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}

	auth := httpmw.New(verifier, httpmw.Config{})
	mux := httpmw.NewServeMux(auth) // no route without a requirement
	mux.HandleFunc("GET /healthz", claims.Public(), healthz)
	mux.Handle("GET /orders", claims.Scopes("orders:read"), listOrders)
	mux.Handle("POST /orders", claims.Scopes("orders:write"), createOrder)
	log.Fatal(http.ListenAndServe(":8080", mux))
}

// With any other router: middleware of the usual form.
func ExampleMiddleware_Require() {
	router := http.NewServeMux()
	router.Handle("GET /orders", auth.Require(claims.Scopes("orders:read"))(listOrders))
	router.Handle("GET /me", auth.Wrap(http.HandlerFunc(me)))
}

func me(w http.ResponseWriter, r *http.Request) {
	caller, ok := claims.FromContext(r.Context())
	if !ok {
		http.Error(w, "not guarded", http.StatusInternalServerError)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"subject": caller.Subject(),
		"scopes":  caller.Scopes(),
	})
}

// A part of what was asked, decided inside the handler.
func ExampleMiddleware_Refuse() {
	_ = func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("internal") {
			if err := claims.Allowed(r.Context(), claims.Scopes("orders:internal")); err != nil {
				auth.Refuse(w, r, err)
				return
			}
		}
		listOrders.ServeHTTP(w, r)
	}
}

// In a framework whose handlers have another form: what is refused goes no
// further.
func ExampleMiddleware_Admit() {
	type handler func(w http.ResponseWriter, r *http.Request) error
	guarded := func(needs claims.Requirement, next handler) handler {
		return func(w http.ResponseWriter, r *http.Request) error {
			admitted, err := auth.Admit(r, needs)
			if err != nil {
				auth.Refuse(w, r, err)
				return nil
			}
			return next(w, admitted)
		}
	}
	_ = guarded(claims.Scopes("orders:read"), func(http.ResponseWriter, *http.Request) error {
		return nil
	})
}

// apiKeys are the callers by the SHA-256 of the key that each was handed.
type apiKeys map[[sha256.Size]byte]*claims.Claims

// Authenticate refuses a key that it does not know, and says so of no other
// scheme's.
func (k apiKeys) Authenticate(_ context.Context, c claims.Credentials) (*claims.Claims, error) {
	if !strings.EqualFold(c.Scheme, "Bearer") {
		return nil, claims.NewError(claims.ErrNoToken, claims.ReasonUnsupportedScheme, nil)
	}
	caller, found := k[sha256.Sum256([]byte(c.Token))]
	if !found {
		return nil, claims.NewError(claims.ErrInvalidToken, claims.ReasonRejected, nil)
	}
	return caller, nil
}

// An Authenticator of one's own.
func ExampleNew() {
	billing, err := claims.FromJSON(
		[]byte(`{"sub": "billing", "scope": "orders:read"}`), claims.Config{})
	if err != nil {
		log.Fatal(err)
	}
	auth := httpmw.New(apiKeys{sha256.Sum256([]byte("a-long-random-key")): billing}, httpmw.Config{})
	guarded := auth.Require(claims.Scopes("orders:read"))(http.HandlerFunc(healthz))
	for _, field := range []string{"Bearer a-long-random-key", "Bearer another"} {
		r := httptest.NewRequest(http.MethodGet, "/orders", nil)
		r.Header.Set("Authorization", field)
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		fmt.Println(w.Code)
	}
	// Output:
	// 200
	// 401
}

// A client that was refused finds out from the challenge where to get a token.
func ExampleServeMux_HandleMetadata() {
	auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example/orders"})
	mux := httpmw.NewServeMux(auth)
	mux.Handle("GET /orders", claims.Scopes("orders:read"), listOrders)
	mux.HandleMetadata(httpmw.MetadataConfig{})

	for _, path := range []string{"/orders", "/.well-known/oauth-protected-resource/orders"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code == http.StatusUnauthorized {
			fmt.Println(w.Header().Get("WWW-Authenticate"))
			continue
		}
		fmt.Println(w.Body)
	}
	// Output:
	// Bearer realm="api", resource_metadata="https://api.example/.well-known/oauth-protected-resource/orders", scope="orders:read"
	// {"resource":"https://api.example/orders","authorization_servers":["https://issuer.example"],"bearer_methods_supported":["header"],"scopes_supported":["orders:read"]}
}

// Pages for browsers; programs have what they have without Body.
func ExampleConfig_body() {
	auth := httpmw.New(verifier, httpmw.Config{
		Body: func(r *http.Request, p httpmw.Problem) (string, []byte) {
			if !strings.Contains(r.Header.Get("Accept"), "text/html") {
				return "", nil
			}
			return "text/html; charset=utf-8", fmt.Appendf(nil,
				"<!doctype html><title>%s</title><p>%s", p.Title, p.Detail)
		},
	})
	r := httptest.NewRequest(http.MethodGet, "/orders", nil)
	r.Header.Set("Accept", "text/html,*/*;q=0.8")
	w := httptest.NewRecorder()
	auth.Wrap(listOrders).ServeHTTP(w, r)
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	fmt.Println(w.Body)
	// Output:
	// 401 Bearer realm="api"
	// <!doctype html><title>Unauthorized</title><p>This operation needs an access token.
}
