package jwks_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

func TestCache_discovery(t *testing.T) {
	t.Parallel()
	const (
		oidc  = "/.well-known/openid-configuration"
		oauth = "/.well-known/oauth-authorization-server"
	)
	const realm = "/realms/a"
	atOrigin := []string{oauth, oidc}
	inRealm := []string{oauth + realm, oidc + realm, realm + oidc}
	tests := []struct {
		name   string
		issuer string
		only   string   // the metadata path that is served, empty for all
		places []string // the paths asked at once, in the order of the alphabet
		keys   string   // the path asked then
	}{
		{"OIDC", issuerURL, oidc, atOrigin, "/jwks"},
		{"OIDC, trailing slash", issuerURL + "/", oidc, atOrigin, "/jwks"},
		{"OIDC, path", issuerURL + realm, realm + oidc, inRealm, realm + "/jwks"},
		{"OIDC, path with trailing slash", issuerURL + realm + "/", realm + oidc, inRealm, realm + "/jwks"},
		{"OIDC, port", "https://issuer.example:8443", oidc, atOrigin, "/jwks"},
		{"both", issuerURL, "", atOrigin, "/jwks"},
		{"RFC 8414", issuerURL, oauth, atOrigin, "/jwks"},
		{"RFC 8414, trailing slash", issuerURL + "/", oauth, atOrigin, "/jwks"},
		{"RFC 8414, path", issuerURL + realm, oauth + realm, inRealm, realm + "/jwks"},
		{"RFC 8414, path with trailing slash", issuerURL + realm + "/", oauth + realm, inRealm, realm + "/jwks"},
		{"RFC 8414, http on loopback", "http://127.0.0.1:8082", oauth, atOrigin, "/jwks"},
		{"OIDC inserted before the path", issuerURL + realm, oidc + realm, inRealm, realm + "/jwks"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer := newIssuer(t, tt.issuer)
				if tt.only != "" {
					answer := fmt.Appendf(nil, `{"issuer":%q,"jwks_uri":%q}`, issuer.URL(), issuer.JWKSURL())
					issuer.Intercept(func(next http.Handler) http.Handler {
						mux := http.NewServeMux() // 404 for the rest
						mux.HandleFunc(tt.only, func(w http.ResponseWriter, _ *http.Request) {
							_, _ = w.Write(answer)
						})
						mux.Handle(tt.keys, next)
						return mux
					})
				}
				requests := &recorder{next: issuer.Client().Transport}
				cache := newCache(t, jwks.Config{
					Issuer: tt.issuer, Client: &http.Client{Transport: requests},
				})
				assert.Empty(t, requests.asked(), "it is lazy")
				require.NoError(t, lookup(t, cache, issuer.Key()))
				var want []string
				for _, path := range append(tt.places, tt.keys) {
					scheme, rest, _ := strings.Cut(tt.issuer, "://")
					host, _, _ := strings.Cut(rest, "/")
					want = append(want, scheme+"://"+host+path)
				}
				assert.Equal(t, want, requests.asked())

				// Where the keys are is remembered, but they may have moved
				// with a new key.
				time.Sleep(defaultLife * 9 / 10)
				require.NoError(t, lookup(t, cache, issuer.Key()))
				synctest.Wait()
				assert.Equal(t, append(want, want[len(want)-1]), requests.asked())
				require.NoError(t, lookup(t, cache, issuer.Rotate("")))
				assert.Equal(t, want, requests.asked()[len(want)+1:])
			})
		})
	}
}

func TestCache_keySetURLNeedsNoDiscovery(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		requests := &recorder{next: issuer.Client().Transport}
		cache := newCache(t, jwks.Config{
			Issuer: issuerURL, URL: issuer.JWKSURL(), Client: &http.Client{Transport: requests},
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, []string{issuer.JWKSURL()}, requests.urls)
	})
}

func TestCache_refusesMetadata(t *testing.T) {
	const (
		password = "pass-word"
		jwksURL  = issuerURL + "/jwks"
	)
	metadata := func(issuer, jwksURI string) string {
		return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, jwksURI)
	}
	tests := []struct {
		name   string
		issuer string
		body   string
		says   string // in the error
	}{
		{"of another issuer", issuerURL,
			metadata("https://other.example", jwksURL), "issuer"},
		{"with a trailing slash", issuerURL,
			metadata("https://issuer.example/", jwksURL), "issuer"},
		{"without the trailing slash", issuerURL + "/",
			metadata(issuerURL, jwksURL), "issuer"},
		{"in another case", issuerURL,
			metadata("https://Issuer.example", jwksURL), "issuer"},
		{"of the parent path", issuerURL + "/realms/a",
			metadata(issuerURL, jwksURL), "issuer"},
		{"without issuer", issuerURL, `{"jwks_uri":"https://issuer.example/jwks"}`, "issuer"},
		{"issuer null", issuerURL,
			`{"issuer":null,"jwks_uri":"https://issuer.example/jwks"}`, "issuer"},
		{"issuer under another name", issuerURL,
			strings.Replace(metadata(issuerURL, jwksURL), "issuer", "ISSUER", 1), "issuer"},
		{"without jwks_uri", issuerURL, `{"issuer":"https://issuer.example"}`, "no jwks_uri"},
		{"jwks_uri empty", issuerURL,
			metadata(issuerURL, ""), "no jwks_uri"},
		{"jwks_uri relative", issuerURL,
			metadata(issuerURL, "/jwks"), "jwks_uri"},
		{"jwks_uri http", issuerURL,
			metadata(issuerURL, "http://issuer.example/jwks"), "https"},
		{"jwks_uri http on loopback", issuerURL,
			metadata(issuerURL, "http://127.0.0.1/jwks"), "https"},
		{"jwks_uri http from a loopback issuer", "http://127.0.0.1",
			metadata("http://127.0.0.1", "http://issuer.example/jwks"), "https"},
		{"jwks_uri of a file", issuerURL,
			metadata(issuerURL, "file:///jwks"), "jwks_uri"},
		{"jwks_uri with user information", issuerURL,
			metadata(issuerURL, "https://u:pass-word@issuer.example/jwks"),
			"user information"},
		{"jwks_uri with a fragment", issuerURL,
			metadata(issuerURL, "https://issuer.example/jwks#pass-word"),
			"fragment"},
		{"jwks_uri a number", issuerURL,
			`{"issuer":"https://issuer.example","jwks_uri":7}`, "not issuer metadata"},
		{"HTML", issuerURL, `<p>pass-word`, "not issuer metadata"},
		{"an array", issuerURL, `["pass-word"]`, "not issuer metadata"},
		{"empty", issuerURL, ``, "not issuer metadata"},
		{"truncated", issuerURL,
			strings.TrimSuffix(metadata(issuerURL, jwksURL), "}"),
			"not issuer metadata"},
		{"too large", issuerURL, string(padded([]byte(metadata(issuerURL, jwksURL)), 512<<10+1)),
			"bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var keySetRequests int
				keys := document(testKey("ES256"))
				server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, "/jwks") {
						keySetRequests++
						_, _ = w.Write(keys)
						return
					}
					_, _ = w.Write([]byte(tt.body))
				})
				cache := newCache(t, jwks.Config{
					Issuer: tt.issuer, Client: &http.Client{Transport: everywhere{server}},
				})
				err := requireUnavailable(t, lookup(t, cache, testKey("ES256")))
				assert.Zero(t, keySetRequests, "it asked for keys")
				assert.ErrorContains(t, err, tt.says)
				assert.NotContains(t, err.Error(), password)
				assert.Nil(t, cache.Set())
			})
		})
	}
}

// Metadata that one of the two places has in order will do.
func TestCache_secondMetadataPlace(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		issuer.Intercept(func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "openid-configuration") {
					_, _ = w.Write([]byte(`{"issuer":"https://other.example"}`))
					return
				}
				next.ServeHTTP(w, r)
			})
		})
		cache := newCache(t, jwks.Config{Issuer: issuerURL, Client: issuer.Client()})
		assert.NoError(t, lookup(t, cache, issuer.Key()))
	})
}

// The issuer may be down at the start: discovery is tried again.
func TestCache_discoveryIsRetried(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		cache := newCache(t, jwks.Config{Issuer: issuerURL, Client: issuer.Client()})
		issuer.Fail(http.StatusServiceUnavailable)
		for n := range 3 {
			err := requireUnavailable(t, lookup(t, cache, issuer.Key()))
			requireBackoff(t, n, err.RetryAfter, false)
			assert.ErrorContains(t, err, "/.well-known/openid-configuration")
			assert.ErrorContains(t, err, "/.well-known/oauth-authorization-server")
			time.Sleep(err.RetryAfter)
		}
		issuer.Intercept(nil)
		assert.NoError(t, lookup(t, cache, issuer.Key()))
	})
}

// moving is an issuer whose key set is where its metadata says, and nowhere
// else.
type moving struct {
	path     atomic.Value // of the key set, a string
	keys     atomic.Value // the key set, a []byte
	requests recorder
}

func newMoving(path string, key *claimstest.Key) *moving {
	m := &moving{}
	m.path.Store(path)
	m.keys.Store(document(key))
	m.requests.next = everywhere{m}
	return m
}

func (m *moving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch path := m.path.Load().(string); r.URL.Path {
	case "/.well-known/openid-configuration":
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, issuerURL, issuerURL+path)
	case path:
		_, _ = w.Write(m.keys.Load().([]byte))
	default:
		http.Redirect(w, r, "https://elsewhere.example/jwks", http.StatusFound)
	}
}

func (m *moving) cache(t *testing.T) *jwks.Cache {
	t.Helper()
	return newCache(t, jwks.Config{
		Issuer: issuerURL, Client: &http.Client{Transport: &m.requests},
	})
}

func TestCache_discoversAnewWhenTheKeyURLFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		key := testKey("ES256")
		issuer := newMoving("/old", key)
		cache := issuer.cache(t)
		require.NoError(t, lookup(t, cache, key))
		issuer.path.Store("/new")
		time.Sleep(defaultLife * 9 / 10)
		for range 3 { // the first fails
			require.NoError(t, lookup(t, cache, key))
			synctest.Wait()
			time.Sleep(2 * time.Second)
		}
		const oauth = issuerURL + "/.well-known/oauth-authorization-server"
		const oidc = issuerURL + "/.well-known/openid-configuration"
		assert.Equal(t, []string{
			oauth, oidc, issuerURL + "/old", // at first
			issuerURL + "/old",              // at the refresh
			oauth, oidc, issuerURL + "/new", // after 1 s
		}, issuer.requests.asked())

		time.Sleep(defaultLife * 9 / 10)
		require.NoError(t, lookup(t, cache, key))
		synctest.Wait()
		assert.Len(t, issuer.requests.asked(), 8, "the new place is remembered")
	})
}

// A rotation together with a move is seen at once.
func TestCache_rotationWithAMove(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newMoving("/old", testKey("ES256"))
		cache := issuer.cache(t)
		require.NoError(t, lookup(t, cache, testKey("ES256")))
		rotated := testKey("EdDSA")
		issuer.keys.Store(document(rotated))
		issuer.path.Store("/new")
		assert.NoError(t, lookup(t, cache, rotated))
	})
}

// A request that stalls takes 5 s, whichever it is.
func TestCache_metadataStalls(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		stall(issuer)
		cache := newCache(t, jwks.Config{Issuer: issuerURL, Client: issuer.Client()})
		start := time.Now()
		requireUnavailable(t, lookup(t, cache, issuer.Key()))
		assert.LessOrEqual(t, time.Since(start), 10*time.Second)
		assert.ErrorIs(t, cache.Ready(context.Background()), jwks.ErrUnavailable)
	})
}

// The best place of metadata counts, whichever answers first; past half of the
// time any does.
func TestCache_discovery_precedence(t *testing.T) {
	const realm = "/realms/a"
	places := []string{realm + oidcPath, oauthPath + realm, oidcPath + realm}
	for name, row := range map[string]struct {
		delays [3]time.Duration
		want   int
	}{
		"all at once":           {want: 0},
		"best is the last":      {delays: [3]time.Duration{2 * time.Second, time.Second}, want: 0},
		"best hangs":            {delays: [3]time.Duration{time.Hour, time.Second}, want: 1},
		"best two hang":         {delays: [3]time.Duration{time.Hour, time.Hour, time.Second}, want: 2},
		"all take most of time": {delays: [3]time.Duration{4100 * time.Millisecond, 4 * time.Second, 4200 * time.Millisecond}, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				var asked atomic.Value
				mux := http.NewServeMux()
				for i, place := range places {
					mux.HandleFunc(place, func(w http.ResponseWriter, r *http.Request) {
						select {
						case <-time.After(row.delays[i]):
						case <-r.Context().Done():
						}
						_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"%s/%d"}`, issuerURL+realm, issuerURL, i)
					})
				}
				mux.HandleFunc("/{place}", func(w http.ResponseWriter, r *http.Request) {
					asked.Store(r.PathValue("place"))
					_, _ = w.Write(document(testKey("ES256")))
				})
				cache := newCache(t, jwks.Config{
					Issuer: issuerURL + realm, Client: &http.Client{Transport: everywhere{mux}},
				})
				require.NoError(t, lookup(t, cache, testKey("ES256")))
				assert.Equal(t, fmt.Sprint(row.want), asked.Load())
			})
		})
	}
}

// Where the keys were last hangs: the next fetch asks the metadata first.
func TestCache_keysMoveFromWhatHangs(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		key := testKey("ES256")
		issuer := newMoving("/old", key)
		var gone atomic.Bool
		issuer.requests.next = everywhere{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if gone.Load() && r.URL.Path == "/old" {
				<-r.Context().Done()
			}
			issuer.ServeHTTP(w, r)
		})}
		cache := issuer.cache(t)
		require.NoError(t, lookup(t, cache, key))
		gone.Store(true)
		issuer.path.Store("/new")
		time.Sleep(defaultLife * 9 / 10)
		for range 2 {
			require.NoError(t, lookup(t, cache, key))
			time.Sleep(10 * time.Second)
		}
		assert.Equal(t, jwks.StateFresh, cache.Stats().State)
		assert.Zero(t, cache.Stats().Failures)
	})
}
