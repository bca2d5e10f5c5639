package cors_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// preflight are the fields by which a browser asks before a page's request.
var preflight = map[string]string{
	"Access-Control-Request-Method":  http.MethodDelete,
	"Access-Control-Request-Headers": "authorization",
}

func ask(t *testing.T, api http.Handler, method, origin string, fields map[string]string) *http.Response {
	t.Helper()
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/orders/7", nil)
	require.NoError(t, err)
	r.Header.Set("Origin", origin)
	for name, value := range fields {
		r.Header.Set(name, value)
	}
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// A browser tells a page of the allowed origin everything that it needs, and a
// page of another nothing.
func TestOrder(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{})
	token := func(scope string) map[string]string {
		return map[string]string{"Authorization": "Bearer " + issuer.Mint(claimstest.Token{Scope: scope})}
	}
	const app, evil = "https://app.example", "https://evil.example"
	for name, row := range map[string]struct {
		method, origin string
		fields         map[string]string
		status         int
		challenge      string
	}{
		"preflight":         {"OPTIONS", app, preflight, 204, ""},
		"no token":          {"DELETE", app, nil, 401, `Bearer realm="api", scope="orders:delete"`},
		"bad token":         {"DELETE", app, map[string]string{"Authorization": "Bearer x"}, 401, `error="invalid_token"`},
		"scope missing":     {"DELETE", app, token("orders:read"), 403, `error="insufficient_scope"`},
		"good token":        {"DELETE", app, token("orders:delete"), 204, ""},
		"OPTIONS, no asker": {"OPTIONS", app, nil, 405, ""}, // of the mux, which has no such route
		"another origin":    {"DELETE", evil, token("orders:delete"), 204, ""},
		"another's asking":  {"OPTIONS", evil, preflight, 204, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, newAPI(auth), row.method, row.origin, row.fields)
			assert.Equal(t, row.status, got.StatusCode)
			assert.Contains(t, got.Header.Get("WWW-Authenticate"), row.challenge)
			if row.origin != app {
				assert.Empty(t, got.Header.Get("Access-Control-Allow-Origin"), "the browser keeps it from the page")
				return
			}
			assert.Equal(t, app, got.Header.Get("Access-Control-Allow-Origin"))
			if row.method == "DELETE" {
				assert.Contains(t, got.Header.Get("Access-Control-Expose-Headers"), "Www-Authenticate")
				assert.Contains(t, strings.Join(got.Header.Values("Vary"), ","), "Origin")
			}
			if row.status >= 400 && row.challenge != "" {
				body, err := io.ReadAll(got.Body)
				require.NoError(t, err)
				assert.Contains(t, string(body), `"reason":`)
			}
		})
	}
}

// The other way round no page gets past the preflight, which has no token, and
// that is how one notices.
func TestOrder_wrong(t *testing.T) {
	t.Parallel()
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	require.NoError(t, err)
	auth := httpmw.New(verifier, httpmw.Config{})
	api := auth.Wrap(policy().Handler(http.HandlerFunc(serve)))
	got := ask(t, api, "OPTIONS", "https://app.example", preflight)
	assert.Equal(t, http.StatusUnauthorized, got.StatusCode)
	assert.Empty(t, got.Header.Get("Access-Control-Allow-Origin"))
}
