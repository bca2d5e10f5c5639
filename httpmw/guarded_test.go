package httpmw_test

import (
	"bytes"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// outside is middleware that looks, when the rest has returned, at the request
// that it handed on.
func outside(next http.Handler, look func(*http.Request)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer look(r)
		next.ServeHTTP(w, r)
	})
}

// A middleware outside a guard sees by which pattern a router inside has
// routed, and does not find the caller.
func TestGuarded_patternShowsOutside(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := "Bearer " + issuer.Mint(claimstest.Token{})
	serve := func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "panic" {
			panic(http.ErrAbortHandler)
		}
	}
	router := http.NewServeMux()
	router.HandleFunc("GET /orders/{id}/{rest...}", serve)
	router.HandleFunc("GET /exact/{$}", serve)
	own := httpmw.NewServeMux(auth)
	own.HandleFunc("GET /orders/{id}/{rest...}", claims.Authenticated(), serve)
	own.HandleFunc("GET admin.example/orders/{id}/{rest...}", claims.Authenticated(), serve)
	for name, row := range map[string]struct {
		handler    http.Handler
		url, token string
		pattern    string
		id, rest   string
	}{
		"Wrap":        {auth.Wrap(router), "/orders/7/a/b", token, "GET /orders/{id}/{rest...}", "7", "a/b"},
		"Wrap twice":  {auth.Wrap(auth.Wrap(router)), "/orders/7/a", token, "GET /orders/{id}/{rest...}", "7", "a"},
		"public":      {auth.Require(claims.Public())(router), "/orders/7/", "", "GET /orders/{id}/{rest...}", "7", ""},
		"ServeMux":    {own, "/orders/7/a", token, "GET /orders/{id}/{rest...}", "7", "a"},
		"its refusal": {own, "/orders/7/a", "", "GET /orders/{id}/{rest...}", "7", "a"},
		"its host": {
			own, "http://ADMIN.example./orders/7/a", token, "GET admin.example/orders/{id}/{rest...}", "7", "a",
		},
		"no wildcard": {auth.Wrap(router), "/exact/", token, "GET /exact/{$}", "", ""},
		"no route":    {auth.Wrap(router), "/none", token, "", "", ""},
		"refused":     {auth.Wrap(router), "/orders/7/a", "", "GET /orders/{id}/{rest...}", "", ""},
		"refused, by ours": {
			auth.Wrap(own), "http://ADMIN.example/orders/7/a", "",
			"GET admin.example/orders/{id}/{rest...}", "", "",
		},
		"refused, no mux": {auth.Wrap(http.HandlerFunc(serve)), "/orders/7/a", "", "", "", ""},
		"panic":           {auth.Wrap(router), "/orders/panic/a", token, "GET /orders/{id}/{rest...}", "panic", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			looked := false
			handler := outside(row.handler, func(r *http.Request) {
				looked = true
				assert.Equal(t, row.pattern, r.Pattern)
				assert.Equal(t, row.id, r.PathValue("id"))
				assert.Equal(t, row.rest, r.PathValue("rest"))
				_, found := claims.FromContext(r.Context())
				assert.False(t, found, "the caller is known inside alone")
				_ = recover()
			})
			r := httptest.NewRequest(http.MethodGet, row.url, nil)
			if row.token != "" {
				r.Header.Set("Authorization", row.token)
			}
			handler.ServeHTTP(httptest.NewRecorder(), r)
			assert.True(t, looked)
		})
	}
}

// A server goes on by itself when time is up; what comes later is not its
// request.
func TestGuarded_patternOfWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	release, done := make(chan struct{}), make(chan struct{})
	router := http.NewServeMux()
	router.HandleFunc("/orders/{id}", func(http.ResponseWriter, *http.Request) { <-release })
	inside := outside(auth.Wrap(router), func(*http.Request) { close(done) })
	handler := outside(http.TimeoutHandler(inside, time.Millisecond, ""), func(r *http.Request) {
		close(release)
		assert.Empty(t, r.Pattern)
		<-done
		assert.Empty(t, r.Pattern)
	})
	r := httptest.NewRequest(http.MethodGet, "/orders/7", nil)
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{}))
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	assert.Equal(t, http.StatusServiceUnavailable, recorder.Code)
}

// net/http removes the files of a form that a handler has parsed, but only of
// the request that it knows.
func TestGuarded_filesOfAFormAreRemoved(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "a")
	require.NoError(t, err)
	_, err = part.Write(make([]byte, 1<<10))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	file := make(chan string, 1)
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("POST /", claims.Authenticated(), func(_ http.ResponseWriter, r *http.Request) {
		assert.NoError(t, r.ParseMultipartForm(0)) // no file in memory
		opened, err := r.MultipartForm.File["file"][0].Open()
		if !assert.NoError(t, err) {
			return
		}
		defer opened.Close()
		onDisk, is := opened.(*os.File)
		if assert.True(t, is) {
			file <- onDisk.Name()
		}
	})
	server := httptest.NewServer(auth.Wrap(mux))
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, &body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{}))
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
	name := <-file
	assert.Eventually(t, func() bool {
		_, err := os.Stat(name)
		return errors.Is(err, os.ErrNotExist)
	}, 5*time.Second, time.Millisecond)
}
