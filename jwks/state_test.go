package jwks_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// What the cache says of itself is so at every time.
func TestStats_overTime(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		first := time.Now()
		require.NoError(t, lookup(t, cache, issuer.Key()))
		s := cache.Stats()
		assert.Equal(t, first, s.LastAttempt)
		assert.EqualValues(t, 1, s.Generation)
		time.Sleep(time.Minute)
		s = cache.Stats()
		assert.Equal(t, time.Minute, s.Age)
		assert.Equal(t, first, s.LastAttempt)
		assert.WithinRange(t, s.NextAttempt, first.Add(time.Minute), first.Add(defaultLife), "ahead of time")

		second := time.Now()
		require.NoError(t, lookup(t, cache, issuer.Rotate("ES256")))
		s = cache.Stats()
		assert.EqualValues(t, 2, s.Generation)
		assert.Equal(t, second, s.LastAttempt)
		assert.Zero(t, s.Age)

		time.Sleep(cooldown)
		require.NoError(t, lookup(t, cache, issuer.Rotate("ES256")))
		assert.EqualValues(t, 3, cache.Stats().Generation)

		issuer.Fail(http.StatusInternalServerError)
		time.Sleep(defaultLife)
		third := time.Now()
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		s = cache.Stats()
		assert.Equal(t, 1, s.Failures)
		assert.EqualValues(t, 3, s.Generation)
		assert.WithinRange(t, s.NextAttempt, third, third.Add(2*time.Second), "a failure is soon followed by another")
	})
}

// A rotation tells what came and what went, and nothing that stayed.
func TestRotation_tellsTheDifference(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var mu sync.Mutex
		var rotations []jwks.Event
		issuer := newIssuer(t, issuerURL)
		cache := newCache(t, jwks.Config{URL: issuer.JWKSURL(), Client: issuer.Client(), Observer: func(_ context.Context, e jwks.Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Kind == jwks.EventRotation {
				rotations = append(rotations, e)
			}
		}})
		told := func() jwks.Event {
			t.Helper()
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			require.Len(t, rotations, 1)
			e := rotations[0]
			rotations = nil
			return e
		}
		first := issuer.Key()
		require.NoError(t, lookup(t, cache, first))
		e := told()
		assert.Equal(t, []string{first.ID}, e.Added)
		assert.Empty(t, e.Removed)
		second := issuer.Rotate("ES256")
		require.NoError(t, lookup(t, cache, second))
		e = told()
		assert.Equal(t, []string{second.ID}, e.Added)
		assert.Empty(t, e.Removed)
		issuer.Revoke(first)
		time.Sleep(cooldown)
		third := issuer.Rotate("ES256")
		require.NoError(t, lookup(t, cache, third))
		e = told()
		assert.Equal(t, []string{third.ID}, e.Added)
		assert.Equal(t, []string{first.ID}, e.Removed)
	})
}

// A key is the same if all is the same that a token can be accepted by.
func TestKey_Equal(t *testing.T) {
	t.Parallel()
	const p256 = `"kty":"EC","crv":"P-256",` +
		`"x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"`
	const other = `"kty":"EC","crv":"P-256",` +
		`"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"`
	const okp = `"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"`
	parse := func(members string) *jwks.Key {
		set, err := jwks.Parse(fmt.Appendf(nil, `{"keys":[{%s}]}`, members))
		require.NoError(t, err)
		return set.Keys()[0]
	}
	key := parse(`"kid":"a",` + p256)
	assert.True(t, key.Equal(key))
	assert.True(t, key.Equal(parse(p256+`,"kid":"a","x5t":"ignored"`)))
	for name, different := range map[string]*jwks.Key{
		"another ID":          parse(`"kid":"b",` + p256),
		"no ID":               parse(p256),
		"another key":         parse(`"kid":"a",` + other),
		"a key of other kind": parse(`"kid":"a",` + okp),
		"of an issuer":        parse(`"kid":"a","issuer":"https://issuer.example",` + p256),
		"nil":                 nil,
	} {
		assert.False(t, key.Equal(different), name)
		assert.False(t, different.Equal(key), name)
	}
	const rsa = `"kid":"a","kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtV` +
		`T86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YG` +
		`jQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lF` +
		`d2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"`
	any, one := parse(rsa), parse(rsa+`,"alg":"RS256"`)
	assert.False(t, any.Equal(one), "it is for more algorithms")
	assert.True(t, any.Fits("PS256") && any.Fits("RS256") && one.Fits("RS256"))
	assert.False(t, one.Fits("PS256") || any.Fits("ES256") || key.Fits("RS256") || key.Fits(""))
	assert.True(t, (*jwks.Key)(nil).Equal(nil))
}

// While a fetch is under way that may bring a key, nobody is refused for lack of it.
func TestCache_Refuses_duringAFetch(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		slow(issuer, 2*time.Second)
		go func() { _, _ = cache.Lookup(t.Context(), "invented", "ES256") }()
		synctest.Wait()
		assert.False(t, cache.Refuses("other", "ES256"))
		time.Sleep(3 * time.Second)
		assert.True(t, cache.Refuses("other", "ES256"))
	})
}

// Nor is anybody while a fetch is due, which a look-up starts.
func TestCache_Refuses_whatIsDue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		issuer.Fail(http.StatusInternalServerError)
		time.Sleep(defaultLife * 95 / 100)
		_, err := cache.Lookup(t.Context(), "invented", "ES256")
		require.ErrorIs(t, err, jwks.ErrUnknownKey)
		synctest.Wait()
		assert.False(t, cache.Refuses("other", "ES256"))
	})
}

// A rotation to a key of that ID which is for another algorithm is a mismatch, no
// unknown key.
func TestCache_rotationToAnotherAlgorithm(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		_, err := cache.Lookup(t.Context(), issuer.Rotate("EdDSA").ID, "ES256")
		assert.ErrorIs(t, err, jwks.ErrKeyMismatch)
	})
}

// A request takes as long as it may, and no longer.
func TestRemote_Timeout(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer := newIssuer(t, issuerURL)
		for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Second, 2 * time.Second: 2 * time.Second} {
			cache := newCache(t, jwks.Config{URL: issuer.JWKSURL(), Client: issuer.Client(), Timeout: timeout})
			stall(issuer)
			start := time.Now()
			requireUnavailable(t, lookup(t, cache, issuer.Key()))
			assert.Equal(t, want, time.Since(start))
		}
	})
}

// Without an entity tag there is nothing to compare with.
func TestRemote_noETag(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		issuer, cache := issuerAndCache(t)
		var mu sync.Mutex
		var conditional []bool
		document := issuer.KeySet()
		issuer.Intercept(func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				_, asked := r.Header["If-None-Match"]
				conditional = append(conditional, asked)
				_, _ = w.Write(document)
			})
		})
		require.NoError(t, lookup(t, cache, issuer.Key()))
		time.Sleep(defaultLife)
		require.NoError(t, lookup(t, cache, issuer.Key()))
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(t, []bool{false, false}, conditional)
	})
}

func TestFaultOf_deadline(t *testing.T) {
	t.Parallel()
	assert.Equal(t, jwks.FaultTimeout, jwks.FaultOf(fmt.Errorf("source: %w", context.DeadlineExceeded)))
	assert.Equal(t, jwks.FaultSource, jwks.FaultOf(fmt.Errorf("source: %w", context.Canceled)))
	assert.Empty(t, jwks.FaultOf(nil))
}

// The first keys are news once, and skipped keys are told of with each rotation.
func TestCache_tellsOfFirstKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		var r witness
		issuer, cache := example(t, func(cfg *jwks.Config) {
			cfg.Observer = r.observe
			cfg.Logger = slog.New(slog.NewTextHandler(&r, nil))
		})
		issuer.Intercept(func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/", next)
			mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
				document := strings.TrimSuffix(strings.TrimSpace(string(issuer.KeySet())), "]}")
				_, _ = io.WriteString(w, document+`,{"kty":"AKP","kid":"post-quantum"}]}`)
			})
			return mux
		})
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		kinds, log := r.take()
		assert.Equal(t, []string{"fetch initial ", "rotation  ", "skip unsupported_type "}, kinds)
		assert.Equal(t, 1, strings.Count(log, "\n"), log)
		issuer.Rotate("ES256")
		require.NoError(t, lookupCurrent(t.Context(), issuer, cache))
		synctest.Wait()
		kinds, _ = r.take()
		assert.Equal(t, []string{"fetch unknown_key ", "rotation  ", "skip unsupported_type "}, kinds)
	})
}
