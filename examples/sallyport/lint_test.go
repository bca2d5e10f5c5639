package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func linted(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, faults bytes.Buffer
	code = run(t.Context(), append([]string{"lint"}, args...), strings.NewReader(""), &out, &faults)
	return code, out.String(), faults.String()
}

func TestLint_goodIssuer(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	for _, where := range []string{
		issuer.URL(), issuer.URL() + "/.well-known/openid-configuration",
		issuer.URL() + "/.well-known/oauth-authorization-server", issuer.JWKSURL(),
	} {
		code, out, faults := linted(t, where)
		assert.Equal(t, exitGood, code, out+faults)
		assert.Contains(t, out, `ok    "`+issuer.Key().ID+`": P-256, for ES256`)
		assert.Contains(t, out, "it does not say how long it holds: 10 minutes are taken")
		assert.Contains(t, out, "no faults")
		assert.Equal(t, where != issuer.JWKSURL(), strings.Contains(out, "copy it into Config.Issuer"))
	}
}

func TestLint_path(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{URL: "http://x.example/realms/a"})
	origin, _, _ := strings.Cut(issuer.URL(), "/realms")
	code, out, _ := linted(t, origin+"/.well-known/oauth-authorization-server/realms/a")
	assert.Equal(t, exitGood, code, out)
	assert.Contains(t, out, `the issuer is "`+issuer.URL()+`"`)
}

// document serves one JSON document, and a key set at /jwks.
func document(t *testing.T, header http.Header, build func(origin string) (path string, members any)) string {
	t.Helper()
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, members := build(server.URL)
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		for name, values := range header {
			w.Header()[name] = values
		}
		_ = json.NewEncoder(w).Encode(members)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestLint_metadata(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	for _, tt := range []struct {
		name    string
		members func(origin string) map[string]any
		code    int
		want    string
	}{
		{name: "final slash", want: "with another final slash", code: exitGood,
			members: func(origin string) map[string]any {
				return map[string]any{"issuer": origin + "/", "jwks_uri": issuer.JWKSURL()}
			}},
		{name: "another issuer", want: `FAULT the issuer is "https://other.example"`, code: exitBad,
			members: func(string) map[string]any {
				return map[string]any{"issuer": "https://other.example", "jwks_uri": issuer.JWKSURL()}
			}},
		{name: "no issuer", want: `FAULT it has no "issuer"`, code: exitBad,
			members: func(string) map[string]any { return map[string]any{"jwks_uri": issuer.JWKSURL()} }},
		{name: "no key set", want: `FAULT it has no "jwks_uri"`, code: exitBad,
			members: func(origin string) map[string]any { return map[string]any{"issuer": origin} }},
		{name: "plain http", want: `FAULT "jwks_uri" "http://keys.example" cannot be used`, code: exitBad,
			members: func(origin string) map[string]any {
				return map[string]any{"issuer": origin, "jwks_uri": "http://keys.example"}
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			origin := document(t, nil, func(origin string) (string, any) { return wellKnown, tt.members(origin) })
			code, out, faults := linted(t, origin)
			assert.Equal(t, tt.code, code, out+faults)
			assert.Contains(t, out, tt.want)
		})
	}
}

func TestLint_keySet(t *testing.T) {
	t.Parallel()
	key := claimstest.MustKey("ES256").JWK()
	with := func(changes map[string]any) map[string]any {
		encoded, err := json.Marshal(key)
		require.NoError(t, err)
		var jwk map[string]any
		require.NoError(t, json.Unmarshal(encoded, &jwk))
		for name, value := range changes {
			if value == nil {
				delete(jwk, name)
			} else {
				jwk[name] = value
			}
		}
		return jwk
	}
	for _, tt := range []struct {
		name    string
		keys    []map[string]any
		control string
		code    int
		want    string
	}{
		{name: "private", keys: []map[string]any{with(nil), with(map[string]any{"d": "AAAA", "kid": "leak"})},
			code: exitBad, want: `FAULT key 1, "leak", is a PRIVATE key`},
		{name: "for encryption", keys: []map[string]any{with(nil), with(map[string]any{"use": "enc", "kid": "e"})},
			want: `note  key 1, "e", is left out: its "use"`},
		{name: "unknown curve", keys: []map[string]any{with(nil), with(map[string]any{"crv": "P-999", "alg": nil, "kid": "x"})},
			code: exitBad, want: `FAULT key 1, "x", is left out`},
		{name: "one name twice", keys: []map[string]any{with(map[string]any{"kid": "k"}), withKey(t, "k")},
			code: exitBad, want: `FAULT 2 keys are called "k"`},
		{name: "no names", keys: []map[string]any{with(map[string]any{"kid": nil}), withKey(t, "k")},
			code: exitBad, want: `FAULT 1 of 2 keys have no "kid"`},
		{name: "no algorithm", keys: []map[string]any{with(map[string]any{"alg": nil})}, want: `note  1 keys have no "alg"`},
		{name: "no keys", keys: []map[string]any{}, code: exitBad, want: "FAULT jwks:"},
		{name: "an hour", keys: []map[string]any{with(nil)}, control: "max-age=3600", want: "ok    it holds for 3600 s"},
		{name: "a second", keys: []map[string]any{with(nil)}, control: "max-age=1", want: "no less than a minute"},
		{name: "a week", keys: []map[string]any{with(nil)}, control: "max-age=604800", want: "no more than a day"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Content-Type": {"application/json"}}
			if tt.control != "" {
				header.Set("Cache-Control", tt.control)
			}
			origin := document(t, header, func(string) (string, any) {
				return "/keys", map[string]any{"keys": tt.keys}
			})
			code, out, faults := linted(t, origin+"/keys")
			assert.Equal(t, tt.code, code, out+faults)
			assert.Contains(t, out, tt.want)
			assert.NotContains(t, out, "Content-Type")
		})
	}
}

func withKey(t *testing.T, id string) map[string]any {
	t.Helper()
	encoded, err := json.Marshal(claimstest.MustKey("ES256").JWK())
	require.NoError(t, err)
	var jwk map[string]any
	require.NoError(t, json.Unmarshal(encoded, &jwk))
	jwk["kid"] = id
	return jwk
}

// Two servers of one issuer behind a load balancer.
func TestLint_serversThatDiffer(t *testing.T) {
	t.Parallel()
	a, b := claimstest.Start(t, claimstest.Config{}), claimstest.Start(t, claimstest.Config{})
	var n atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		set := a.KeySet()
		if n.Add(1)%2 == 0 {
			set = b.KeySet()
		}
		_, _ = w.Write(set)
	}))
	t.Cleanup(server.Close)
	code, out, progress := linted(t, "-times", "6", "-pause", "1ms", server.URL)
	assert.Equal(t, exitBad, code)
	assert.Contains(t, out, "FAULT 2 different key sets in 6 answers")
	assert.Contains(t, progress, "… asked 5 of 6 times")

	code, out, _ = linted(t, "-times", "3", "-pause", "1ms", a.JWKSURL())
	assert.Equal(t, exitGood, code)
	assert.Contains(t, out, "the same key set in 3 answers")
}

func TestLint_file(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "jwks.json")
	require.NoError(t, os.WriteFile(file, claimstest.Start(t, claimstest.Config{}).KeySet(), 0o600))
	code, out, _ := linted(t, file)
	assert.Equal(t, exitGood, code, out)
	code, _, faults := linted(t, file+".nope")
	assert.Equal(t, exitUndecided, code)
	assert.Contains(t, faults, "no such file")
}

func TestLint_down(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	issuer.Fail(http.StatusBadGateway)
	code, _, faults := linted(t, issuer.URL())
	assert.Equal(t, exitUndecided, code)
	assert.Contains(t, faults, "502")
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"nope"}, {"lint"}, {"lint", "a", "b"}, {"lint", "-times", "0", "x"}} {
		var out, faults bytes.Buffer
		assert.Equal(t, exitUsage, run(t.Context(), args, strings.NewReader(""), &out, &faults), args)
		assert.NotEmpty(t, faults.String())
		assert.Empty(t, out.String())
	}
	var out, faults bytes.Buffer
	assert.Equal(t, exitGood, run(t.Context(), []string{"help"}, strings.NewReader(""), &out, &faults))
	assert.Contains(t, out.String(), "lint ")
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		done := waiting(&said, time.Second, "waiting for nobody")
		time.Sleep(500 * time.Millisecond)
		done()
		assert.Empty(t, said.String(), "nothing took long")
		done = waiting(&said, time.Second, "waiting for nobody")
		time.Sleep(2500 * time.Millisecond)
		done()
		done()
		assert.Equal(t, "… waiting for nobody, 1 s so far\n… waiting for nobody, 2 s so far\n", said.String())
	})
}
