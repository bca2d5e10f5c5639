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

// guardFrom returns an issuer on loopback and a Middleware that trusts it and
// finds its tokens in a place.
func guardFrom(t testing.TB, from httpmw.Place) (*claimstest.Issuer, *httpmw.Middleware) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	return issuer, httpmw.New(verifier, httpmw.Config{From: from})
}

// send asks a handler for the answer to a request of a real client.
func send(t testing.TB, handler http.Handler, change func(r *http.Request)) *http.Response {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	change(r)
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	r.Header.Del("Accept") // which is no credential
	return scanned(t, headerText(t, r.Header), resp)
}

// TOKEN stands for a good one.
func TestFromHeader(t *testing.T) {
	t.Parallel()
	raw, scheme := httpmw.FromHeader("x-token", ""), httpmw.FromHeader("X-Token", "Token")
	zero := httpmw.Place{}
	for name, tt := range map[string]struct {
		from   httpmw.Place
		field  string
		values []string
		want   int
	}{
		"raw":                        {raw, "X-Token", []string{"TOKEN"}, 204},
		"raw, several":               {raw, "X-Token", []string{"TOKEN", "TOKEN"}, 400},
		"raw, with a scheme":         {raw, "X-Token", []string{"Bearer TOKEN"}, 400},
		"raw, empty":                 {raw, "X-Token", []string{""}, 401},
		"raw, none":                  {raw, "X-Other", []string{"TOKEN"}, 401},
		"raw, in Authorization":      {raw, "Authorization", []string{"Bearer TOKEN"}, 401},
		"scheme":                     {scheme, "X-Token", []string{"token TOKEN"}, 204},
		"scheme, another":            {scheme, "X-Token", []string{"Bearer TOKEN"}, 401},
		"scheme, none":               {scheme, "X-Token", []string{"TOKEN"}, 400},
		"form of Authorization":      {httpmw.FromHeader("X-Token", "Bearer"), "X-Token", []string{"Bearer TOKEN"}, 204},
		"Z and 9":                    {httpmw.FromHeader("X-AZaz09", ""), "X-Azaz09", []string{"TOKEN"}, 204},
		"Authorization":              {zero, "Authorization", []string{"Bearer TOKEN"}, 204},
		"Authorization, by name":     {httpmw.FromHeader("AUTHORIZATION", "bearer"), "Authorization", []string{"Bearer TOKEN"}, 204},
		"Authorization, raw":         {httpmw.FromHeader("Authorization", ""), "Authorization", []string{"TOKEN"}, 204},
		"Authorization, other place": {zero, "X-Token", []string{"Bearer TOKEN"}, 401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer, auth := guardFrom(t, tt.from)
			seen := new(spy)
			values := fill(tt.values, issuer.Mint(claimstest.Token{Subject: "alice"}))
			resp := send(t, auth.Wrap(seen), func(r *http.Request) { r.Header[tt.field] = values })
			assert.Equal(t, tt.want, resp.StatusCode)
			assert.Equal(t, tt.want == 204, seen.reached)
		})
	}
}

// Everything that is wrong with a place is said by New, in the words that were
// typed.
func TestFromHeader_mistakes(t *testing.T) {
	t.Parallel()
	const here = "httpmw: New: Config.From: FromHeader: "
	for name, tt := range map[string]struct {
		from httpmw.Place
		want string
	}{
		"name":       {httpmw.FromHeader("x token", ""), here + `the name "x token" must be a token (RFC 9110 section 5.1)`},
		"no name":    {httpmw.FromHeader("", ""), here + `the name "" must be a token (RFC 9110 section 5.1)`},
		"taken":      {httpmw.FromHeader("cookie", ""), here + "the field Cookie means something else"},
		"proof":      {httpmw.FromHeader("DPoP", "DPoP"), here + "the field Dpop means something else"},
		"everything": {httpmw.FromHeader("ä", "a b"), here + `the name "ä" must be a token (RFC 9110 section 5.1)` + "\n" + here + `the scheme "a b" must be a token (RFC 9110 section 11.1) of at most 32 characters`},
	} {
		assert.PanicsWithValue(t, tt.want, func() {
			httpmw.New(nobody{}, httpmw.Config{From: tt.from})
		}, name)
	}
	const realm = `httpmw: New: Config.Realm of "\n" must be printable ASCII`
	assert.PanicsWithValue(t, "httpmw: New: auth is nil\n"+realm+"\n"+here+"the field Host means something else", func() {
		httpmw.New(nil, httpmw.Config{Realm: "\n", From: httpmw.FromHeader("Host", "")})
	})
}

// Caches know what an Authorization field means. Of other places they are told,
// unless somebody outside has said more.
func TestPlace_cacheControl(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		from    httpmw.Place
		outside string
		want    string
	}{
		"Authorization":          {httpmw.Place{}, "", ""},
		"Authorization, by name": {httpmw.FromHeader("Authorization", "Bearer"), "", ""},
		"Authorization, outside": {httpmw.Place{}, "max-age=1", "max-age=1"},
		"another":                {httpmw.FromHeader("X-Token", ""), "", "private"},
		"one of both":            {httpmw.OneOf(httpmw.Place{}, httpmw.FromHeader("X-Token", "")), "", "private"},
		"another, outside":       {httpmw.FromHeader("X-Token", ""), "no-cache", "no-cache"},
	} {
		auth := httpmw.New(new(witness), httpmw.Config{From: tt.from})
		resp := send(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if tt.outside != "" {
				w.Header().Set("Cache-Control", tt.outside)
			}
			auth.Wrap(&spy{}).ServeHTTP(w, r)
		}), func(r *http.Request) {
			if name == "another" || name == "another, outside" {
				r.Header.Set("X-Token", "abc")
				return
			}
			r.Header.Set("Authorization", "Bearer abc")
		})
		assert.Equal(t, 204, resp.StatusCode, name)
		assert.Equal(t, tt.want, resp.Header.Get("Cache-Control"), name)
	}
}
