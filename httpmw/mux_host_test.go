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

// However a client writes a host, a request is served by the route that has it.
func TestServeMux_host(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := issuer.Mint(claimstest.Token{Scope: "read"})
	mux := httpmw.NewServeMux(auth)
	serve := func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Host-Seen", r.Host) }
	mux.HandleFunc("GET /orders/{id}", claims.Scopes("read"), serve)
	mux.HandleFunc("GET admin.example/orders/{id}", claims.Scopes("admin"), serve)
	mux.HandleFunc("GET [::1]/orders/{id}", claims.Scopes("admin"), serve)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for host, row := range map[string]struct {
		status int
		seen   string
	}{
		"admin.example":       {403, ""},
		"ADMIN.EXAMPLE":       {403, ""},
		"Admin.Example:8080":  {403, ""},
		"admin.example.":      {403, ""},
		"ADMIN.example.:8080": {403, ""},
		"admin.example.:":     {403, ""},
		"[::1]":               {403, ""},
		"API.example":         {200, "api.example"},
		"api.example.:80":     {200, "api.example:80"},
		"api.example:80":      {200, "api.example:80"},
		"127.0.0.1:80":        {200, "127.0.0.1:80"},
		"[2001:DB8::1]:80":    {200, "[2001:db8::1]:80"},
		"[2001:DB8::1]":       {200, "[2001:db8::1]"},
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/orders/7", nil)
			require.NoError(t, err)
			r.Host = host
			r.Header.Set("Authorization", "Bearer "+token)
			resp, err := server.Client().Do(r)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			assert.Equal(t, row.status, resp.StatusCode)
			assert.Equal(t, row.seen, resp.Header.Get("Host-Seen"))
		})
	}
}

// The letters that become ASCII in lower case are none of a host's.
func TestServeMux_hostBeyondASCII(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	mux := httpmw.NewServeMux(auth)
	mux.Handle("kilo.example/", claims.Public(), &spy{})
	for host, status := range map[string]int{
		"kilo.example": 204, "KILO.example": 204, "\u212Ailo.example": 404, "": 404, ".": 404,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		recorder := httptest.NewRecorder()
		mux.ServeHTTP(recorder, r)
		assert.Equal(t, status, recorder.Code, "%q", host)
	}
}

// A pattern that no request could match is refused: requests for its host would
// be served by the routes without one.
func TestServeMux_Handle_host(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	const (
		form = ": the host must be in lower case and without a final dot"
		port = ": the host must be without a port"
	)
	for pattern, want := range map[string]string{
		"ADMIN.example/":               form,
		"GET Admin.example/orders":     form,
		"GET \tadmin.examplE/orders":   form,
		"GET\tADMIN.example/orders":    form,
		"admin.example./":              form,
		"admin.example:8080/":          port,
		"GET [::1]:80/":                port,
		"GET admin.example/Orders/A.":  "",
		"GET admin.example/{ID}":       "",
		"GET [::1]/":                   "",
		"CONNECT admin.example:443/":   "",
		"/Orders":                      "",
		"GET /Orders/{ID}/a.":          "",
		"POST /orders:cancel/10:20/X:": "",
	} {
		mux := httpmw.NewServeMux(auth)
		handle := func() { mux.Handle(pattern, claims.Public(), &spy{}) }
		if want == "" {
			assert.NotPanics(t, handle, pattern)
			continue
		}
		assert.PanicsWithValue(t, "httpmw: "+pattern+want, handle)
		assert.Empty(t, mux.Operations())
	}
}

// The request of a middleware outside is left as the client wrote it.
func TestServeMux_hostOutside(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	mux := httpmw.NewServeMux(auth)
	mux.Handle("admin.example/", claims.Public(), &spy{})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "ADMIN.example"
	mux.ServeHTTP(httptest.NewRecorder(), r)
	assert.Equal(t, "ADMIN.example", r.Host)
	assert.Equal(t, "admin.example/", r.Pattern)
}
