package jwks_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

func TestNewCache_refuses(t *testing.T) {
	t.Parallel()
	const password = "pass-word"
	tests := []struct {
		name string
		url  string // in place of Issuer and of URL
		says string
	}{
		{"relative", "/jwks", "absolute"},
		{"without scheme", "issuer.example", "absolute"},
		{"without host", "https:///jwks", "absolute"},
		{"port only", "https://:443/jwks", "host"},
		{"opaque", "https:issuer.example", "absolute"},
		{"http", "http://issuer.example", "https"},
		{"http on a private address", "http://10.0.0.1", "https"},
		{"http on an address that looks like loopback", "http://127.0.0.1.example", "https"},
		{"http on all addresses", "http://0.0.0.0", "https"},
		{"ftp", "ftp://issuer.example", "https"},
		{"file", "file://localhost/pass-word", "https"},
		{"user information", "https://user:pass-word@issuer.example", "user information"},
		{"user name", "https://pass-word@issuer.example", "user information"},
		{"fragment", "https://issuer.example#pass-word", "fragment"},
		{"empty fragment", "https://issuer.example#", "fragment"},
		{"not a URL", "https://user:pass-word@issuer.example:port/%", "URL"},
		{"control character", "https://issuer.example/\npass-word", "URL"},
		{"white space", " https://issuer.example", "URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for field, cfg := range map[string]jwks.Config{
				"Config.Issuer": {Issuer: tt.url},
				"Config.URL":    {URL: tt.url},
				"URL":           {Issuer: issuerURL, URL: tt.url},
			} {
				cache, err := jwks.NewCache(cfg)
				if !assert.Error(t, err, field) {
					continue
				}
				assert.Nil(t, cache)
				assert.ErrorContains(t, err, field)
				assert.ErrorContains(t, err, tt.says)
				assert.True(t, strings.HasPrefix(err.Error(), "jwks: "), err.Error())
				assert.NotContains(t, err.Error(), password)
			}
		})
	}
}

func TestNewCache_refusesConfigs(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]jwks.Config{
		"nothing":              {},
		"client only":          {Client: &http.Client{}},
		"issuer with query":    {Issuer: issuerURL + "?pass-word"}, // RFC 8414 section 2
		"issuer, empty query":  {Issuer: issuerURL + "/?"},
		"issuer, query, slash": {Issuer: issuerURL + "/a/?tenant=pass-word"},
	} {
		cache, err := jwks.NewCache(cfg)
		require.Error(t, err, name)
		assert.Nil(t, cache, name)
		assert.NotContains(t, err.Error(), "pass-word", name)
		assert.ErrorContains(t, err, "Issuer", name)
	}
}

func TestNewCache_accepts(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://issuer.example", "https://issuer.example/", "https://issuer.example:8443/a/b",
		"HTTPS://ISSUER.EXAMPLE", "https://[2001:db8::1]:8443", "http://127.0.0.1:8082",
		"http://127.1.2.3", "http://[::1]:8082/a", "http://localhost", "http://LOCALHOST:1",
		"https://issuer.example/a%2Fb",
	} {
		_, err := jwks.NewCache(jwks.Config{Issuer: good})
		assert.NoError(t, err, good)
		_, err = jwks.NewCache(jwks.Config{URL: good + "?tenant=a"})
		assert.NoError(t, err, good)
	}
}

// Whoever mends a Config sees all that is wrong with it at once.
func TestNewCache_reportsEverything(t *testing.T) {
	t.Parallel()
	const bad = "http://user:pass-word@issuer.example/?query#fragment"
	_, err := jwks.NewCache(jwks.Config{Issuer: bad})
	for _, part := range []string{"https", "user information", "query", "fragment"} {
		assert.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), "pass-word")
	_, err = jwks.NewCache(jwks.Config{URL: "/relative", Cooldown: -1})
	for _, part := range []string{"Config.Cooldown", "Config.URL", "absolute"} {
		assert.ErrorContains(t, err, part)
	}
	assert.NotContains(t, err.Error(), "pass-word")
}

// The life of an answer shows in when it becomes too old: an hour after.
func TestCache_freshLife(t *testing.T) {
	tests := []struct {
		name         string
		cacheControl []string
		want         time.Duration
	}{
		{"absent", nil, defaultLife},
		{"empty", []string{""}, defaultLife},
		{"0", []string{"max-age=0"}, time.Minute},
		{"1", []string{"max-age=1"}, time.Minute},
		{"59", []string{"max-age=59"}, time.Minute},
		{"60", []string{"max-age=60"}, time.Minute},
		{"61", []string{"max-age=61"}, 61 * time.Second},
		{"an hour", []string{"max-age=3600"}, time.Hour},
		{"86399", []string{"max-age=86399"}, maxAge - time.Second},
		{"86400", []string{"max-age=86400"}, maxAge},
		{"86401", []string{"max-age=86401"}, maxAge},
		{"99999999", []string{"max-age=99999999"}, maxAge},
		{"2^31-1", []string{"max-age=2147483647"}, maxAge},
		// RFC 9111 section 1.2.2: what overflows is the greatest value.
		{"2^31", []string{"max-age=2147483648"}, maxAge},
		{"2^64", []string{"max-age=18446744073709551616"}, maxAge},
		{"negative", []string{"max-age=-1"}, defaultLife},
		{"garbage", []string{"max-age=soon"}, defaultLife},
		{"fraction", []string{"max-age=1.5"}, defaultLife},
		{"without value", []string{"max-age"}, defaultLife},
		{"value empty", []string{"max-age="}, defaultLife},
		{"quoted", []string{`max-age="120"`}, 2 * time.Minute},
		{"case", []string{"Max-Age=120"}, 2 * time.Minute},
		{"no-store", []string{"no-store"}, defaultLife},
		{"no-cache", []string{"no-cache"}, defaultLife},
		{"among others", []string{"public, max-age=120 , must-revalidate"}, 2 * time.Minute},
		{"no-store and max-age 0", []string{"no-store, max-age=0"}, time.Minute},
		{"second field", []string{"public", "max-age=120"}, 2 * time.Minute},
		{"s-maxage", []string{"s-maxage=120"}, defaultLife},
		{"longer name", []string{"x-max-age=120"}, defaultLife},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				issuer, cache := issuerAndCache(t)
				intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
					w.Header()["Cache-Control"] = tt.cacheControl
				})
				require.NoError(t, lookup(t, cache, issuer.Key()))
				issuer.Fail(http.StatusServiceUnavailable)
				time.Sleep(tt.want + time.Hour - time.Nanosecond)
				assert.NotNil(t, cache.Set(), "fresh for less")
				time.Sleep(time.Nanosecond)
				assert.Nil(t, cache.Set(), "fresh for more")
			})
		})
	}
}

// An answer that may not be stored is used for as long as any other: a fetch for
// each request would be worse.
func TestCache_noStoreIsNoFetchPerRequest(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		intercept(issuer, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "no-store, no-cache, max-age=0")
		})
		for range 430 { // tenths of a second, 43 s, of a minute
			require.NoError(t, lookup(t, cache, issuer.Key()))
			time.Sleep(100 * time.Millisecond)
		}
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

// transport is an [http.RoundTripper].
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body is what a response is read from; it ends with the request.
type body struct {
	ctx   context.Context
	first io.Reader
	rest  func() (byte, error)
}

func (b *body) Read(p []byte) (int, error) {
	if n, _ := b.first.Read(p); n > 0 {
		return n, nil
	}
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	c, err := b.rest()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

func (b *body) Close() error { return nil }

// answer makes a transport that answers 200 and begins the body with half of a
// key set.
func answer(keys []byte, rest func(ctx context.Context) (byte, error)) transport {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{}, Request: r,
			Body: &body{r.Context(), bytes.NewReader(keys[:len(keys)/2]), func() (byte, error) {
				return rest(r.Context())
			}},
		}, nil
	}
}

// serve makes a transport that calls a handler.
func serve(f http.HandlerFunc) transport { return everywhere{f}.RoundTrip }

type badAnswer struct {
	name      string
	transport transport
	takes     time.Duration
	says      string // in the error
}

func badAnswers(key *claimstest.Key) []badAnswer {
	keys := document(key)
	tooMany := `{"keys":[` + strings.Repeat(`{},`, 99_999) + `{}]}`
	other := document(claimstest.MustKey("ES256"))
	write := func(body []byte) transport {
		return serve(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	}
	status := func(code int) transport {
		return serve(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = w.Write(other)
		})
	}
	redirect := func(to string) transport {
		return serve(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.String() == issuerURL+"/jwks" {
				w.Header().Set("Location", to)
				w.WriteHeader(http.StatusFound)
			}
			_, _ = w.Write(other) // is good, if it is followed
		})
	}
	all := []badAnswer{
		{"500", status(500), 0, "500"},
		{"404", status(404), 0, "404"},
		{"401", status(401), 0, "401"},
		{"201", status(201), 0, "201"},
		{"204", status(204), 0, "204"},
		{"206", status(206), 0, "206"},
		{"304 to no condition", status(304), 0, "304"},
		{"redirect without location", status(302), 0, "302"},
		{"redirect to another host", redirect("https://other.example/jwks"), 0, "origin"},
		{"redirect to another host, by name", redirect("//other.example/jwks"), 0, "origin"},
		{"redirect to another port", redirect("https://issuer.example:8443/jwks"), 0, "origin"},
		{"redirect to a subdomain", redirect("https://a.issuer.example/jwks"), 0, "origin"},
		{"redirect to http", redirect("http://issuer.example/jwks"), 0, "origin"},
		{"redirect to loopback", redirect("http://127.0.0.1/jwks"), 0, "origin"},
		{"redirects without end", redirect(issuerURL + "/jwks"), 0, "redirects"},
		{"connection refused", func(*http.Request) (*http.Response, error) {
			return nil, io.ErrUnexpectedEOF
		}, 0, "EOF"},
		{"connection lost", answer(keys, func(context.Context) (byte, error) {
			return 0, io.ErrUnexpectedEOF
		}), 0, "EOF"},
		{"stalled", func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 5 * time.Second, "deadline"},
		{"stalled in the body", answer(keys, func(ctx context.Context) (byte, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}), 5 * time.Second, "deadline"},
		{"slow drip", answer(keys, func(ctx context.Context) (byte, error) {
			select {
			case <-time.After(300 * time.Millisecond):
				return ' ', nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}), 5 * time.Second, "deadline"},
		{"without end", answer(keys, func(context.Context) (byte, error) {
			return ' ', nil
		}), 0, "bytes"},
		{"512 KiB and 1 byte", write(padded(other, 512<<10+1)), 0, "bytes"},
		{"10 MB", write(padded(other, 10<<20)), 0, "bytes"},
		{"100,000 bad keys", write([]byte(tooMany)), 0, "key"},
	}
	for _, document := range badDocuments() {
		all = append(all, badAnswer{document.name, write(document.document), 0, "jwks: "})
	}
	return all
}

// padded returns the document with so much white space that it has n bytes.
func padded(document []byte, n int) []byte {
	return append(slices.Clone(document), bytes.Repeat([]byte(" "), n-len(document))...)
}

func TestCache_badAnswerWithNothingHeld(t *testing.T) {
	key := claimstest.MustKey("ES256")
	for _, tt := range badAnswers(key) {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				cache := newCache(t, jwks.Config{
					URL: issuerURL + "/jwks", Client: &http.Client{Transport: tt.transport},
				})
				start := time.Now()
				err := requireUnavailable(t, lookup(t, cache, key))
				assert.Equal(t, tt.takes, time.Since(start))
				assert.ErrorContains(t, err, tt.says)
				assert.NotContains(t, err.Error(), "secret-word", "the body is not quoted")
				assert.Nil(t, cache.Set())
			})
		})
	}
}

func TestCache_badAnswerNeverReplacesGoodKeys(t *testing.T) {
	key := claimstest.MustKey("ES256")
	for _, tt := range badAnswers(key) {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				good := serve(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = w.Write(document(key))
				})
				current := good
				requests := &recorder{next: transport(func(
					r *http.Request,
				) (*http.Response, error) {
					return current(r)
				})}
				cache := newCache(t, jwks.Config{
					URL: issuerURL + "/jwks", Client: &http.Client{Transport: requests},
				})
				require.NoError(t, lookup(t, cache, key))
				held := cache.Set()

				current = tt.transport
				// Both on schedule and for an unknown key.
				time.Sleep(defaultLife * 9 / 10)
				require.NoError(t, lookup(t, cache, key))
				time.Sleep(10 * time.Second)
				synctest.Wait()
				require.Greater(t, len(requests.times), 1)
				assert.Same(t, held, cache.Set())
				before := len(requests.times)
				_, err := cache.Lookup(t.Context(), "unknown", "ES256")
				assert.ErrorIs(t, err, jwks.ErrUnknownKey)
				assert.Greater(t, len(requests.times), before)
				assert.NoError(t, lookup(t, cache, key))
				assert.Same(t, held, cache.Set())

				synctest.Wait()
				current = good
				time.Sleep(10 * time.Second)
				require.NoError(t, lookup(t, cache, key))
				synctest.Wait()
				assert.Equal(t, jwks.StateFresh, cache.Stats().State, "it recovers")
				assert.EqualValues(t, 1, cache.Stats().Generation, "nothing was rotated")
				assert.Zero(t, requests.open.Load(), "a body is not closed")
			})
		})
	}
}

func TestCache_acceptsAnswersAtTheLimits(t *testing.T) {
	key := claimstest.MustKey("ES256")
	var many []*claimstest.Key
	for range 99 {
		many = append(many, testKey("EdDSA"))
	}
	for name, answer := range map[string][]byte{
		"512 KiB":  padded(document(key), 512<<10),
		"100 keys": document(append(many, key)...),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				cache := newCache(t, jwks.Config{
					URL: issuerURL + "/jwks",
					Client: &http.Client{Transport: serve(
						func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) },
					)},
				})
				assert.NoError(t, lookup(t, cache, key))
			})
		})
	}
}

func TestCache_followsRedirectsWithinTheOrigin(t *testing.T) {
	key := claimstest.MustKey("ES256")
	const from, moved = issuerURL + "/jwks", issuerURL + "/moved"
	for _, to := range []string{"/moved", "moved", moved, "//issuer.example/moved"} {
		for _, status := range []int{301, 302, 303, 307, 308} {
			t.Run(to+http.StatusText(status), func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					requests := &recorder{next: serve(func(w http.ResponseWriter, r *http.Request) {
						if r.URL.Path == "/jwks" {
							w.Header().Set("Location", to)
							w.WriteHeader(status)
							return
						}
						_, _ = w.Write(document(key))
					})}
					cache := newCache(t, jwks.Config{
						URL: issuerURL + "/jwks", Client: &http.Client{Transport: requests},
					})
					require.NoError(t, lookup(t, cache, key))
					assert.Equal(t, []string{from, moved}, requests.urls)
				})
			})
		}
	}
}

// An origin is the same with its default port spelt out (RFC 6454 section 4).
func TestCache_redirectToTheDefaultPort(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		key := testKey("ES256")
		cache := newCache(t, jwks.Config{
			URL: issuerURL + "/jwks",
			Client: &http.Client{Transport: serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/jwks" {
					http.Redirect(w, r, "https://issuer.example:443/moved", http.StatusFound)
					return
				}
				_, _ = w.Write(document(key))
			})},
		})
		assert.NoError(t, lookup(t, cache, key))
	})
}

func TestCache_requests(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		var mu sync.Mutex
		var accepts []string
		cache := newCache(t, jwks.Config{
			Issuer: issuerURL,
			Client: &http.Client{Transport: transport(func(
				r *http.Request,
			) (*http.Response, error) {
				assert.Equal(t, http.MethodGet, r.Method)
				assert.True(t, r.Close, "the connection would idle until the next fetch")
				deadline, ok := r.Context().Deadline()
				assert.True(t, ok)
				assert.Equal(t, 5*time.Second, time.Until(deadline))
				assert.Empty(t, r.Header.Get("Authorization"))
				mu.Lock()
				accepts = append(accepts, r.Header.Get("Accept"))
				mu.Unlock()
				return issuer.Client().Transport.RoundTrip(r)
			})},
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, []string{
			"application/json", "application/json", "application/jwk-set+json, application/json",
		}, accepts)
	})
}

// jar is an [http.CookieJar] that counts its uses.
type jar struct{ asked int }

func (j *jar) Cookies(*url.URL) []*http.Cookie         { j.asked++; return nil }
func (j *jar) SetCookies(_ *url.URL, _ []*http.Cookie) {}

func TestCache_Client(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		cookies := &jar{}
		client := &http.Client{
			Transport: serve(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/jwks" {
					http.Redirect(w, r, "/moved", http.StatusFound)
					return
				}
				_, _ = w.Write(issuer.KeySet())
			}),
			Jar: cookies,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				t.Error("the client's own CheckRedirect is called")
				return http.ErrUseLastResponse
			},
			Timeout: time.Second,
		}
		cache := newCache(t, jwks.Config{URL: issuer.JWKSURL(), Client: client})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		assert.Positive(t, cookies.asked)
		assert.NotNil(t, client.CheckRedirect, "the client is left as it was")

		client.Transport = nil // the Cache has a client of its own
		require.NoError(t, lookup(t, cache, issuer.Rotate("")))
	})
}

// A Client may be less patient than the 5 s.
func TestCache_clientTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		stall(issuer)
		client := issuer.Client()
		client.Timeout = time.Second
		cache := newCache(t, jwks.Config{URL: issuer.JWKSURL(), Client: client})
		start := time.Now()
		requireUnavailable(t, lookup(t, cache, issuer.Key()))
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// A nil Client will do.
func TestCache_overRealHTTP(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{URL: "/realms/a"})
	cache := newCache(t, jwks.Config{Issuer: issuer.URL()})
	require.NoError(t, lookup(t, cache, issuer.Key()))
	require.NoError(t, lookup(t, cache, issuer.Rotate("EdDSA")))
	assert.Equal(t, 2, issuer.KeySetRequests())
}
