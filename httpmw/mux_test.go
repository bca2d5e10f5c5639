package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

func TestServeMux(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := "Bearer " + issuer.Mint(claimstest.Token{Scope: "orders:read"})
	mux := httpmw.NewServeMux(auth)
	ok := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Id", r.PathValue("id"))
	}
	mux.HandleFunc("GET /healthz", claims.Public(), ok)
	mux.Handle("GET /orders/{id}", claims.Scopes("orders:read"), http.HandlerFunc(ok))
	mux.HandleFunc("DELETE /orders/{id}", claims.Scopes("orders:delete"), ok)
	mux.HandleFunc("/admin/", claims.Scopes("admin"), ok)

	for name, row := range map[string]struct {
		method, path, token string
		status              int
	}{
		"public":                    {"GET", "/healthz", "", 200},
		"held":                      {"GET", "/orders/7", token, 200},
		"HEAD by the rules of GET":  {"HEAD", "/orders/7", "", 401},
		"no token":                  {"GET", "/orders/7", "", 401},
		"lacking":                   {"DELETE", "/orders/7", token, 403},
		"no such route":             {"GET", "/nothing", token, 404},
		"no such method":            {"PATCH", "/orders/7", token, 405},
		"subtree":                   {"GET", "/admin/x", token, 403},
		"uncleaned path":            {"GET", "//admin/x", "", 307},
		"subtree without its slash": {"GET", "/admin", "", 307},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequest(row.method, "http://api.example"+row.path, nil)
			if row.token != "" {
				req.Header.Set("Authorization", row.token)
			}
			recorder := httptest.NewRecorder()
			mux.ServeHTTP(recorder, req)
			assert.Equal(t, row.status, recorder.Code)
			if row.status == http.StatusOK && row.token != "" {
				assert.Equal(t, "7", recorder.Header().Get("Id"))
			}
		})
	}

	routes := mux.Operations()
	require.Len(t, routes, 4)
	assert.Equal(t, "HTTP", routes[1].Protocol)
	assert.Equal(t, "GET /orders/{id}", routes[1].Name)
	assert.Equal(t, `Scopes("orders:read")`, routes[1].Requirement.String())
	routes[1].Name = "changed"
	assert.Equal(t, "GET /orders/{id}", mux.Operations()[1].Name)
}
