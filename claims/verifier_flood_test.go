package claims_test

import (
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// 10,240 tokens with invented key IDs from 64 goroutines over ten minutes, and
// a genuine rotation in the middle.
//
// It is not parallel: the memory of others would count.
func TestFlood(t *testing.T) {
	const (
		senders  = 64
		each     = 160
		cooldown = 30 * time.Second
	)
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{Lifetime: time.Hour})
		keys, err := jwks.NewCache(jwks.Config{
			Issuer: issuer.URL(), Client: issuer.Client(), Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.Keys = keys })
		good := bearer(issuer.Mint(claimstest.Token{}))
		_, err = verifier.Authenticate(t.Context(), good)
		require.NoError(t, err)

		began := time.Now()
		before := heap()
		var wg sync.WaitGroup
		for sender := range senders {
			wg.Go(func() {
				for n := range each {
					_, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{
						Header: map[string]any{"kid": fmt.Sprintf("%d-%d", sender, n)},
					})))
					if assert.Error(t, err) {
						assert.Equal(t, claims.ReasonUnknownKey, claims.AsError(err).Reason())
					}
					time.Sleep(time.Duration(3600+sender) * time.Millisecond)
				}
			})
		}
		wg.Go(func() {
			time.Sleep(5*time.Minute + 7*time.Second)
			issuer.Rotate("")
			rotated := time.Now()
			fresh := bearer(issuer.Mint(claimstest.Token{}))
			for {
				if _, err := verifier.Authenticate(t.Context(), fresh); err == nil {
					break
				}
				_, err := verifier.Authenticate(t.Context(), good)
				assert.NoError(t, err, "good tokens are not touched by the flood")
				time.Sleep(100 * time.Millisecond)
			}
			assert.LessOrEqual(t, time.Since(rotated), cooldown+time.Second)
		})
		wg.Wait()

		stats := keys.Stats()
		unknown := stats.Fetches[jwks.CauseUnknownKey]
		assert.LessOrEqual(t, unknown, uint64(time.Since(began)/cooldown)+1)
		assert.Greater(t, unknown, uint64(10))
		assert.EqualValues(t, unknown+stats.Fetches[jwks.CauseRefresh]+1, issuer.KeySetRequests())
		assert.Less(t, heap(), before+4<<20, "memory is flat")
	})
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
