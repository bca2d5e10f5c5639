package httpmw_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
)

// coder is middleware that compresses what the handler writes, and says so
// before the handler runs, as that of gorilla/handlers does.
func coder(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Trailer", "X-Checksum")
		coded := &codedWriter{ResponseWriter: w, gzip: gzip.NewWriter(w)}
		next.ServeHTTP(coded, r)
		_ = coded.gzip.Close()
		w.Header().Set("X-Checksum", "1")
	})
}

type codedWriter struct {
	http.ResponseWriter
	gzip *gzip.Writer
}

func (c *codedWriter) WriteHeader(status int) {
	c.Header().Del("Content-Length")
	c.ResponseWriter.WriteHeader(status)
}

func (c *codedWriter) Write(b []byte) (int, error) { return c.gzip.Write(b) }

// What is said of the body that a middleware outside writes stays, whoever
// refuses.
func TestRefuse_compressed(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := "Bearer " + issuer.Mint(claimstest.Token{})
	write := claims.Scopes("orders:write")
	own := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		w.Header().Set("Content-Disposition", "attachment")
		auth.Refuse(w, r, claims.Allowed(r.Context(), write))
	}
	for name, row := range map[string]struct {
		handler http.Handler
		token   []string
		status  int
	}{
		"by the guard":         {auth.Wrap(http.HandlerFunc(own)), nil, 401},
		"by the inner guard":   {auth.Wrap(auth.Require(write)(&spy{})), []string{token}, 403},
		"by the handler":       {auth.Wrap(http.HandlerFunc(own)), []string{token}, 403},
		"in a public handler":  {auth.Require(claims.Public())(http.HandlerFunc(own)), nil, 401},
		"of the mux":           {muxOf(auth, own), []string{token}, 403},
		"behind several":       {auth.Wrap(auth.Wrap(http.HandlerFunc(own))), []string{token}, 403},
		"by hand, after Admit": {byHand(auth), nil, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := get(t, coder(row.handler), row.token...)
			assert.Equal(t, row.status, got.status)
			require.Empty(t, got.header.Get("Content-Encoding"), "decoded by the client")
			assert.Equal(t, "1", got.trailer.Get("X-Checksum"))
			assert.True(t, json.Valid([]byte(got.body)), "%q", got.body)
			assert.Empty(t, got.header.Get("ETag"))
			assert.Empty(t, got.header.Get("Content-Disposition"))
		})
	}
}

func muxOf(auth *httpmw.Middleware, h http.HandlerFunc) http.Handler {
	mux := httpmw.NewServeMux(auth)
	mux.HandleFunc("/", claims.Authenticated(), h)
	return mux
}

func byHand(auth *httpmw.Middleware) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := auth.Admit(r, claims.Authenticated()); err != nil {
			auth.Refuse(w, r, err)
		}
	})
}

// What a handler has said of a body that it then does not send is not sent.
func TestRefuse_insideAHandler(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := "Bearer " + issuer.Mint(claimstest.Token{})
	said := map[string]string{
		"Accept-Ranges": "bytes", "Content-Digest": "sha-256=:AA==:", "Content-Disposition": "inline",
		"Content-Encoding": "gzip", "Content-Language": "fr", "Content-Length": "5",
		"Content-Location": "/a", "Content-MD5": "AA==", "Content-Range": "bytes 0-4/5",
		"Digest": "sha-256=AA==", "ETag": `"1"`, "Expires": "0", "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT",
		"Repr-Digest": "sha-256=:AA==:", "Trailer": "X-Own", "Transfer-Encoding": "gzip",
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range said {
			w.Header().Set(name, value)
		}
		w.Header()["ETag"] = []string{`"2"`} // some spell it so
		w.Header().Set("X-Own", "own")
		auth.Refuse(w, r, claims.Allowed(r.Context(), claims.Scopes("orders:write")))
	})
	for name, outside := range map[string]func(http.Handler) http.Handler{
		"nothing": func(next http.Handler) http.Handler { return next },
		"other fields": func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Request-Id", "1")
				next.ServeHTTP(w, r)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := get(t, outside(auth.Wrap(handler)), token)
			assert.Equal(t, http.StatusForbidden, got.status)
			assert.True(t, json.Valid([]byte(got.body)), got.body)
			assert.Equal(t, "own", got.header.Get("X-Own"))
			for name := range said {
				if name != "Content-Length" {
					assert.Empty(t, got.header.Get(name), name)
				}
			}
			assert.Equal(t, strconv.Itoa(len(got.body)), got.header.Get("Content-Length"))
		})
	}
}

// A trailer that a middleware outside has announced arrives after a refusal,
// too: a body of a known length would have none.
func TestRefuse_trailersOfOthers(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	got := get(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Took")
		auth.Wrap(&spy{}).ServeHTTP(w, r)
		w.Header().Set("X-Took", "1ms")
	}))
	assert.Equal(t, http.StatusUnauthorized, got.status)
	assert.Equal(t, "1ms", got.trailer.Get("X-Took"))
	assert.True(t, json.Valid([]byte(got.body)), got.body)
}

// A field that the handler has set again is the handler's.
func TestRefuse_setAgain(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	language := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Language", "en")
			next.ServeHTTP(w, r)
		})
	}
	for want, set := range map[string]bool{"en": false, "": true} {
		got := get(t, language(auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if set {
				w.Header().Set("Content-Language", "fr")
			}
			auth.Refuse(w, r, claims.Allowed(r.Context(), claims.Scopes("orders:write")))
		}))), "Bearer "+issuer.Mint(claimstest.Token{}))
		assert.Equal(t, want, got.header.Get("Content-Language"))
	}
}

// The challenges of others stay, and ours is there once.
func TestRefuse_besideAnotherChallenge(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	token := "Bearer " + issuer.Mint(claimstest.Token{})
	const (
		basic = `Basic realm="x"`
		bare  = `Bearer realm="api"`
	)
	lacks := bare + `, error="insufficient_scope", error_description="` +
		claims.NewError(claims.ErrInsufficientScope, claims.ReasonScope, nil).Text() + `", scope="a"`
	needs := claims.Scopes("a")
	for name, row := range map[string]struct {
		before  []string
		handler http.Handler
		token   []string
		want    []string
	}{
		"another":         {[]string{basic}, auth.Wrap(&spy{}), nil, []string{basic, bare}},
		"two others":      {[]string{basic, "Negotiate"}, auth.Wrap(&spy{}), nil, []string{basic, "Negotiate", bare}},
		"ours":            {[]string{bare}, auth.Wrap(&spy{}), nil, []string{bare}},
		"ours and other":  {[]string{bare, basic}, auth.Require(needs)(&spy{}), []string{token}, []string{basic, lacks}},
		"a guard inside":  {[]string{basic}, auth.Wrap(auth.Require(needs)(&spy{})), []string{token}, []string{basic, lacks}},
		"other realm":     {[]string{`Bearer realm="b"`}, auth.Wrap(&spy{}), nil, []string{`Bearer realm="b"`, bare}},
		"nothing to say":  {[]string{basic}, auth.Require(claims.Permissions("p"))(&spy{}), []string{token}, []string{basic}},
		"admitted":        {[]string{basic}, auth.Wrap(&spy{}), []string{token}, []string{basic}},
		"nothing, refuse": {nil, auth.Require(needs)(&spy{}), []string{token}, []string{lacks}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := get(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				for _, field := range row.before {
					w.Header().Add("WWW-Authenticate", field)
				}
				row.handler.ServeHTTP(w, r)
			}), row.token...)
			assert.Equal(t, row.want, got.header.Values("WWW-Authenticate"))
		})
	}
}

// A framework that goes on after a refusal sends nothing of what it should not.
func TestRefuse_nothingAfterIt(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	for name, token := range map[string]string{
		"refused": "junk", "lacking": issuer.Mint(claimstest.Token{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := get(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				auth.Require(claims.Scopes("a"))(&spy{}).ServeHTTP(w, r)
				_, err := io.WriteString(w, "protected")
				assert.ErrorIs(t, err, http.ErrContentLength)
			}), "Bearer "+token)
			assert.NotContains(t, got.body, "protected")
			assert.True(t, json.Valid([]byte(got.body)), got.body)
		})
	}
}
