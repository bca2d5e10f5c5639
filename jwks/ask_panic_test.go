package jwks_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/jwks"
)

// panickingBody is the body of an answer.
type panickingBody struct{}

func (panickingBody) Read([]byte) (int, error) { panic("a fault of the user's") }

func (panickingBody) Close() error { return nil }

// Whatever of the user's panics while keys are fetched, it is a fetch that
// failed, and its cause says where.
func TestCache_fetchPanics(t *testing.T) {
	panics := transport(func(*http.Request) (*http.Response, error) { panic("a fault of the user's") })
	reading := transport(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: panickingBody{}}, nil
	})
	type config = jwks.Config
	for _, tt := range []struct {
		name string
		cfg  config
	}{
		{"source", config{Sources: []jwks.Source{userSource(
			func(context.Context, bool) (*jwks.Set, time.Duration, error) { panic("a fault of the user's") })}}},
		{"transport, key set", config{URL: issuerURL + "/jwks", Client: &http.Client{Transport: panics}}},
		{"transport, metadata", config{Issuer: issuerURL, Client: &http.Client{Transport: panics}}},
		{"body, key set", config{URL: issuerURL + "/jwks", Client: &http.Client{Transport: reading}}},
		{"body, metadata", config{Issuer: issuerURL + "/a", Client: &http.Client{Transport: reading}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				cache := newCache(t, tt.cfg)
				err := requireUnavailable(t, cache.Ready(t.Context()))
				assert.ErrorContains(t, err, "panicked: a fault of the user's")
				assert.ErrorContains(t, err, "ask_panic_test.go", "the stack")
				assert.Equal(t, jwks.FaultSource, cache.Stats().LastFault)
			})
		})
	}
}

// A transport that ends its goroutine is as bad.
func TestCache_fetchExits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cache := newCache(t, jwks.Config{Issuer: issuerURL, Client: &http.Client{Transport: transport(
			func(*http.Request) (*http.Response, error) {
				runtime.Goexit()
				return nil, io.EOF
			})}})
		err := requireUnavailable(t, cache.Ready(t.Context()))
		assert.ErrorContains(t, err, "did not return")
	})
}
