package jwks_test

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// An Observer that panics harms nobody, and does not fill the log, whoever
// sends how many tokens.
func TestObserver_panics(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var r witness
		issuer, cache := example(t, func(cfg *jwks.Config) {
			cfg.Observer = func(context.Context, jwks.Event) { panic("observer's own") }
			cfg.Logger = slog.New(slog.NewTextHandler(&r, nil))
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		for range 100 {
			_, err := cache.Lookup(t.Context(), "invented", "ES256")
			require.ErrorIs(t, err, jwks.ErrUnknownKey)
			cache.Refuses("invented", "ES256")
		}
		synctest.Wait()
		_, log := r.take()
		assert.Equal(t, 1, strings.Count(log, `msg="jwks: the Observer panicked"`), log)
		assert.Contains(t, log, "observer's own")
		assert.Contains(t, log, "observe_panic_test.go", "the stack")
		time.Sleep(time.Minute)
		cache.Refuses("invented", "ES256")
		_, _ = cache.Lookup(t.Context(), "invented", "ES256")
		_, log = r.take()
		assert.Equal(t, 1, strings.Count(log, `msg="jwks: the Observer panicked"`), log)
	})
}

// An Observer sees the context of the request that was refused.
func TestObserver_context(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		type key struct{}
		var mu sync.Mutex
		seen := map[jwks.EventKind]any{}
		issuer, cache := example(t, func(cfg *jwks.Config) {
			cfg.Observer = func(ctx context.Context, e jwks.Event) {
				mu.Lock()
				defer mu.Unlock()
				seen[e.Kind] = ctx.Value(key{})
			}
		})
		ctx := context.WithValue(t.Context(), key{}, "request")
		require.NoError(t, lookup(t, cache, issuer.Key()))
		_, err := cache.Lookup(ctx, "invented", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, map[jwks.EventKind]any{
			jwks.EventRefusal: "request", jwks.EventFetch: nil, jwks.EventRotation: nil,
		}, seen)
	})
}

// panickingHandler is a handler of logs that has a fault.
type panickingHandler struct{ slog.Handler }

func (panickingHandler) Handle(context.Context, slog.Record) error { panic("handler") }

func TestLogger_panics(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := example(t, func(cfg *jwks.Config) {
			cfg.Logger = slog.New(panickingHandler{slog.NewTextHandler(new(witness), nil)})
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		assert.Equal(t, jwks.StateFresh, cache.Stats().State)
	})
}
