package bench

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// keySetSize is the most that a key set may have.
const keySetSize = 100

// BenchmarkKeys measures the look-up of a key among a hundred.
func BenchmarkKeys(b *testing.B) {
	document, known := largeKeySet(b)
	set, err := jwks.Parse(document)
	if err != nil {
		b.Fatal(err)
	}
	cache, err := jwks.NewCache(jwks.Config{
		Sources: []jwks.Source{fixedSource{set}},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := cache.Ready(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	for _, of := range []struct {
		name string
		keys claims.KeySource
	}{{"set", set}, {"cache", cache}} {
		b.Run("of="+of.name+"/kid=known", func(b *testing.B) {
			measure(b, func() error {
				_, err := of.keys.Lookup(ctx, known, "ES256")
				return err
			})
		})
		b.Run("of="+of.name+"/kid=unknown", func(b *testing.B) {
			measure(b, func() error {
				if _, err := of.keys.Lookup(ctx, "unknown", "ES256"); err == nil {
					return errAccepted
				}
				return nil
			})
		})
	}
}

type fixedSource struct{ set *jwks.Set }

func (s fixedSource) KeySet(context.Context, bool) (*jwks.Set, time.Duration, error) {
	return s.set, 0, nil
}

func largeKeySet(b *testing.B) (document []byte, known string) {
	b.Helper()
	keys := make([]any, keySetSize)
	for i := range keys {
		key := claimstest.MustKey("ES256")
		keys[i], known = key.JWK(), key.ID
	}
	document, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		b.Fatal(err)
	}
	return document, known
}
