package httpmw_test

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// A body of the user's own changes the body, wherever the refusal comes from,
// and nothing else.
func TestConfig_Body(t *testing.T) {
	t.Parallel()
	issuer, plain := guard(t)
	own := httpmw.New(verifierOf(t, issuer), httpmw.Config{
		Body: func(r *http.Request, p httpmw.Problem) (string, []byte) {
			if r.Header.Get("Accept") == "application/json" {
				return "", nil
			}
			r.Header.Set("WWW-Authenticate", "Basic") // which changes nothing
			return "text/html", fmt.Appendf(nil, "<h1>%d %s</h1>%s %s %s", p.Status, p.Title,
				p.Detail, p.Reason, html.EscapeString(r.URL.Path))
		},
	})
	needs := claims.Scopes("orders:write")
	doors := map[string]func(auth *httpmw.Middleware) http.Handler{
		"Require": func(auth *httpmw.Middleware) http.Handler { return auth.Require(needs)(&spy{}) },
		"ServeMux": func(auth *httpmw.Middleware) http.Handler {
			mux := httpmw.NewServeMux(auth)
			mux.Handle("/", needs, &spy{})
			return mux
		},
		"Admit": func(auth *httpmw.Middleware) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, err := auth.Admit(r, needs)
				auth.Refuse(w, r, err)
			})
		},
		"inside": func(auth *httpmw.Middleware) http.Handler {
			return auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				auth.Refuse(w, r, claims.Allowed(r.Context(), needs))
			}))
		},
	}
	token := "Bearer " + issuer.Mint(claimstest.Token{Scope: "orders:read"})
	for name, door := range doors {
		want := get(t, door(plain), token)
		got := get(t, door(own), token)
		assert.Equal(t, want.status, got.status, name)
		assert.Equal(t, "text/html", got.header.Get("Content-Type"), name)
		assert.Equal(t, "<h1>403 Forbidden</h1>The access token lacks a scope that this operation needs. scope /", got.body, name)
		for _, header := range []http.Header{want.header, got.header} {
			for _, field := range []string{"Content-Type", "Content-Length", "Date"} {
				assert.NotEmpty(t, header[field], name)
				delete(header, field)
			}
		}
		assert.Equal(t, want.header, got.header, name)
		assert.Contains(t, got.header.Get("WWW-Authenticate"), "insufficient_scope")

		left := send(t, door(own), func(r *http.Request) {
			r.Header.Set("Authorization", token)
			r.Header.Set("Accept", "application/json")
		})
		assert.Equal(t, "application/json", left.Header.Get("Content-Type"), name)
	}
}

func verifierOf(t testing.TB, issuer *claimstest.Issuer) *claims.Verifier {
	t.Helper()
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// What is wrong with the user's code is told to operators, and the client has
// its answer.
func TestConfig_Body_fails(t *testing.T) { // not parallel: the default logger
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	defer slog.SetDefault(before)
	for name, body := range map[string]func(*http.Request, httpmw.Problem) (string, []byte){
		"panics":          func(*http.Request, httpmw.Problem) (string, []byte) { panic("secret") },
		"panics, aborts":  func(*http.Request, httpmw.Problem) (string, []byte) { panic(http.ErrAbortHandler) },
		"panics, error":   func(*http.Request, httpmw.Problem) (string, []byte) { panic(errors.New("secret")) },
		"no media type":   func(*http.Request, httpmw.Problem) (string, []byte) { return "secret type", []byte("secret") },
		"a line break":    func(*http.Request, httpmw.Problem) (string, []byte) { return "a/b\r\nX: y", []byte("secret") },
		"none":            func(*http.Request, httpmw.Problem) (string, []byte) { return "", []byte("secret") },
		"none of nothing": func(*http.Request, httpmw.Problem) (string, []byte) { return "", nil },
	} {
		auth := httpmw.New(nobody{}, httpmw.Config{Body: body})
		got := get(t, auth.Wrap(&spy{}))
		assert.Equal(t, http.StatusUnauthorized, got.status, name)
		assert.Equal(t, "application/problem+json", got.header.Get("Content-Type"), name)
		assert.JSONEq(t, `{"title":"Unauthorized","status":401,"reason":"no_token",`+
			`"detail":"This operation needs an access token."}`, got.body, name)
		assert.Equal(t, `Bearer realm="api"`, got.header.Get("WWW-Authenticate"), name)
	}
	assert.Contains(t, logged.String(), "Config.Body panicked")
	assert.Contains(t, logged.String(), "problem_test.go", "where")

	synctest.Test(t, func(t *testing.T) {
		auth := httpmw.New(nobody{}, httpmw.Config{
			Body: func(*http.Request, httpmw.Problem) (string, []byte) { panic("secret") },
		})
		for _, want := range []int{1, 0, 0, 1} {
			logged.Reset()
			for range 10 {
				auth.Wrap(&spy{}).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
			}
			assert.Equal(t, want, bytes.Count(logged.Bytes(), []byte("Config.Body panicked")))
			time.Sleep(400 * time.Millisecond)
		}
	})
}

// An empty body is one too.
func TestConfig_Body_empty(t *testing.T) {
	t.Parallel()
	auth := httpmw.New(nobody{}, httpmw.Config{
		Body: func(*http.Request, httpmw.Problem) (string, []byte) { return "text/plain", nil },
	})
	got := get(t, auth.Wrap(&spy{}))
	assert.Equal(t, http.StatusUnauthorized, got.status)
	assert.Empty(t, got.body)
	assert.Equal(t, "0", got.header.Get("Content-Length"))
}

// Where the request is not known the body is a problem document.
func TestRefuse_noRequest(t *testing.T) {
	t.Parallel()
	auth := httpmw.New(nobody{}, httpmw.Config{
		Body: func(*http.Request, httpmw.Problem) (string, []byte) { return "text/plain", nil },
	})
	w := httptest.NewRecorder()
	auth.Refuse(w, nil, claims.ErrForbidden)
	assert.Equal(t, http.StatusForbidden, w.Code)
	assert.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
}
