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
				require.Greater(t, len(requests.when()), 1)
				assert.Same(t, held, cache.Set())
				before := len(requests.when())
				_, err := cache.Lookup(t.Context(), "unknown", "ES256")
				assert.ErrorIs(t, err, jwks.ErrUnknownKey)
				assert.Greater(t, len(requests.when()), before)
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
				assert.LessOrEqual(t, time.Until(deadline), 5*time.Second)
				assert.Greater(t, time.Until(deadline), 4*time.Second)
				assert.Empty(t, r.Header.Get("Authorization"))
				mu.Lock()
				accepts = append(accepts, r.Header.Get("Accept"))
				mu.Unlock()
				if isMetadata(r.URL.Path) {
					time.Sleep(time.Millisecond) // until those of all places are made
				}
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

func (j *jar) Cookies(*url.URL) []*http.Cookie { j.asked++; return nil }

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
