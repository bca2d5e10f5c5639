package claims

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/tokencache"
	"github.com/sallyport-go/sallyport/jwks"
)

// counting is a verifier, or several, that counts the signatures it checks.
type counting struct {
	issuer  *claimstest.Issuer
	cfg     Config
	checked atomic.Int64
	slow    chan struct{} // unless nil, a signature check waits for it
}

func newCounting(t testing.TB, change func(*Config)) *counting {
	t.Helper()
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	keys, err := jwks.NewCache(jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
	require.NoError(t, err)
	c := &counting{issuer: issuer, cfg: Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	}}
	if change != nil {
		change(&c.cfg)
	}
	return c
}

// watch has a verifier count.
func (c *counting) watch(v *Verifier) *Verifier {
	v.accepted = maps.Clone(v.accepted)
	for alg, verify := range v.accepted {
		v.accepted[alg] = func(key crypto.PublicKey, input, signature []byte) bool {
			c.checked.Add(1)
			if c.slow != nil {
				<-c.slow
			}
			return verify(key, input, signature)
		}
	}
	return v
}

func (c *counting) verifier(t testing.TB) *Verifier {
	t.Helper()
	v, err := NewVerifier(c.cfg)
	require.NoError(t, err)
	return c.watch(v)
}

func (c *counting) mint(token claimstest.Token) Credentials {
	return Credentials{Scheme: "Bearer", Token: c.issuer.Mint(token)}
}

// expect authenticates, wants the reason, none for a token that is accepted,
// and that many signature checks.
func (c *counting) expect(t testing.TB, auth Authenticator, r Credentials, reason Reason, checks int) {
	t.Helper()
	before := c.checked.Load()
	caller, err := auth.Authenticate(t.Context(), r)
	if reason == "" {
		require.NoError(t, err)
		require.NotNil(t, caller)
	} else {
		require.Nil(t, caller)
		require.Error(t, err)
		require.Equal(t, reason, AsError(err).Reason())
	}
	require.EqualValues(t, checks, c.checked.Load()-before, "signature checks")
}

func TestTokenCache_remembers(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	v := c.verifier(t)
	alice, bob := c.mint(claimstest.Token{Subject: "alice"}), c.mint(claimstest.Token{Subject: "bob"})
	c.expect(t, v, alice, "", 1)
	c.expect(t, v, alice, "", 0)
	c.expect(t, v, bob, "", 1)
	first, err := v.Authenticate(t.Context(), alice)
	require.NoError(t, err)
	assert.Equal(t, "alice", first.Subject())
	c.expect(t, v, Credentials{Scheme: "bearer", Token: alice.Token}, "", 0)
	c.expect(t, v, Credentials{Scheme: "DPoP", Token: alice.Token}, ReasonUnsupportedScheme, 0)

	c.cfg.MaxTokens = -1
	v = c.verifier(t)
	c.expect(t, v, alice, "", 1)
	c.expect(t, v, alice, "", 1)
	held, _ := v.pipeline.cache.Len()
	assert.Zero(t, held)
}

// A token that differs in anything is another one.
func TestTokenCache_everyByteCounts(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	v := c.verifier(t)
	good := c.mint(claimstest.Token{Subject: "alice"}).Token
	c.expect(t, v, Credentials{Scheme: "Bearer", Token: good}, "", 1)
	for i := range good {
		changed := []byte(good)
		changed[i] ^= 1
		_, err := v.Authenticate(t.Context(), Credentials{Scheme: "Bearer", Token: string(changed)})
		require.Error(t, err, "byte %d", i)
	}
	for _, other := range []string{good + "A", good[:len(good)-1], " " + good, good + " ", good + "."} {
		_, err := v.Authenticate(t.Context(), Credentials{Scheme: "Bearer", Token: other})
		require.Error(t, err)
	}
	tokens, _ := v.pipeline.cache.Len()
	assert.Equal(t, 1, tokens, "what is refused is not remembered")
	assert.Equal(t, 1, v.pipeline.headers.known.Load().Len(), "nor its header")
	c.expect(t, v, Credentials{Scheme: "Bearer", Token: good}, "", 0)
}

// Two pipelines hash a token differently, so nobody can find out what is where.
func TestTokenCache_seeded(t *testing.T) {
	t.Parallel()
	sums := map[tokencache.Sum]bool{}
	for range 10 {
		p := newPipeline(jws.Asymmetric, 1)
		w := p.load(Credentials{Token: "token"}, nil)
		p.hash.Sum(&w.hash, w.seeded)
		sums[w.hash] = true
		w.release()
	}
	assert.Len(t, sums, 10)
}

func TestTokenCache_expiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting(t, func(cfg *Config) { cfg.MaxTokenAge = 4 * time.Minute })
		v := c.verifier(t)
		brief := c.mint(claimstest.Token{Lifetime: time.Minute})
		aged := c.mint(claimstest.Token{Lifetime: time.Hour})
		c.expect(t, v, brief, "", 1)
		c.expect(t, v, aged, "", 1)
		time.Sleep(90*time.Second - time.Nanosecond)
		c.expect(t, v, brief, "", 0)
		time.Sleep(time.Nanosecond)
		c.expect(t, v, brief, ReasonExpired, 0)
		time.Sleep(3*time.Minute - time.Nanosecond)
		c.expect(t, v, aged, "", 0)
		time.Sleep(time.Nanosecond)
		c.expect(t, v, aged, ReasonTooOld, 0)
	})
}

func TestTokenCache_rotation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting(t, nil)
		v := c.verifier(t)
		old := c.issuer.Key()
		before := c.mint(claimstest.Token{Lifetime: 24 * time.Hour})
		c.expect(t, v, before, "", 1)

		c.issuer.Rotate("")
		c.expect(t, v, c.mint(claimstest.Token{}), "", 1)
		c.expect(t, v, before, "", 0) // its key is still there

		c.issuer.Revoke(old)
		c.expect(t, v, before, "", 0) // and is believed until the next fetch
		c.issuer.Rotate("")
		time.Sleep(time.Minute)
		c.expect(t, v, c.mint(claimstest.Token{}), "", 1) // which this one causes
		synctest.Wait()
		c.expect(t, v, before, ReasonUnknownKey, 0)
		c.expect(t, v, before, ReasonUnknownKey, 0)
	})
}

// Another key under the same ID did not sign the token.
func TestTokenCache_keyReplaced(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	old := c.issuer.Key()
	first, err := jwks.Parse(c.issuer.KeySet())
	require.NoError(t, err)
	other := c.issuer.Rotate("")
	jwk := other.JWK()
	jwk["kid"] = old.ID
	document, err := json.Marshal(map[string]any{"keys": []any{jwk}})
	require.NoError(t, err)
	second, err := jwks.Parse(document)
	require.NoError(t, err)
	source := &switched{}
	source.set.Store(first)
	c.cfg.Keys = source
	v := c.verifier(t)
	token := c.mint(claimstest.Token{Key: old})
	c.expect(t, v, token, "", 1)
	c.expect(t, v, token, "", 0)
	source.set.Store(second)
	c.expect(t, v, token, ReasonSignature, 1)
	source.set.Store(first)
	c.expect(t, v, token, "", 1)
	source.fails.Store(true)
	c.expect(t, v, token, ReasonUnknownKey, 0)
}

// switched is a KeySource of somebody's own. It may return keys beside an
// error.
type switched struct {
	set   atomic.Pointer[jwks.Set]
	fails atomic.Bool
}

func (s *switched) Lookup(ctx context.Context, keyID, alg string) ([]*jwks.Key, error) {
	keys, err := s.set.Load().Lookup(ctx, keyID, alg)
	if s.fails.Load() {
		err = errors.New("own")
	}
	return keys, err
}

// Where keys may be used no more, a token that was verified by them is not
// either.
func TestTokenCache_outage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting(t, nil)
		v := c.verifier(t)
		token := c.mint(claimstest.Token{Lifetime: 24 * time.Hour})
		c.expect(t, v, token, "", 1)
		c.issuer.Intercept(func(http.Handler) http.Handler { return http.NotFoundHandler() })
		time.Sleep(time.Hour)
		c.expect(t, v, token, "", 0)
		time.Sleep(time.Hour)
		c.expect(t, v, token, ReasonKeysUnavailable, 0)
		c.issuer.Intercept(nil)
		time.Sleep(2 * time.Minute)
		c.expect(t, v, token, "", 0) // by the same keys
	})
}

// A hit is a use of the keys: they are fetched ahead of time.
func TestTokenCache_keepsKeysFresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting(t, nil)
		v := c.verifier(t)
		token := c.mint(claimstest.Token{Lifetime: 24 * time.Hour})
		c.expect(t, v, token, "", 1)
		for range 100 {
			time.Sleep(time.Minute)
			c.expect(t, v, token, "", 0)
			synctest.Wait()
		}
		assert.GreaterOrEqual(t, c.issuer.KeySetRequests(), 10)
	})
}

func TestTokenCache_ownCheckEachTime(t *testing.T) {
	t.Parallel()
	var refuse error
	calls := 0
	c := newCounting(t, func(cfg *Config) {
		cfg.Check = func(context.Context, *Claims) error {
			calls++
			return refuse
		}
	})
	v := c.verifier(t)
	token := c.mint(claimstest.Token{})
	c.expect(t, v, token, "", 1)
	c.expect(t, v, token, "", 0)
	refuse = errors.New("revoked")
	c.expect(t, v, token, ReasonRejected, 0)
	refuse = nil
	c.expect(t, v, token, "", 0)
	assert.Equal(t, 4, calls)
}

func TestTokenCache_tenantEachTime(t *testing.T) {
	t.Parallel()
	trusted, asked := true, 0
	c := newCounting(t, func(cfg *Config) {
		cfg.Issuer = "https://issuer.example/{tenant}"
		cfg.TrustTenant = func(tenant string) bool {
			asked++
			return trusted && tenant == "t1"
		}
	})
	v := c.verifier(t)
	token := c.mint(claimstest.Token{Claims: map[string]any{"iss": "https://issuer.example/t1"}})
	c.expect(t, v, token, "", 1)
	c.expect(t, v, token, "", 0)
	trusted, asked = false, 0
	c.expect(t, v, token, ReasonIssuer, 0)
	assert.Equal(t, 1, asked)
	trusted = true
	c.expect(t, v, token, "", 0)
}

func TestTokenCache_issuers(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	issuers, err := NewIssuers(c.cfg)
	require.NoError(t, err)
	watch := func() {
		v, _ := issuers.trusted.Load().verifiers.Get(c.cfg.Issuer)
		c.watch(v)
	}
	watch()
	token := c.mint(claimstest.Token{})
	c.expect(t, issuers, token, "", 1)
	c.expect(t, issuers, token, "", 0)

	other := newCounting(t, func(cfg *Config) {
		cfg.Issuer, cfg.KeysOf = "https://other.example", cfg.Issuer
	})
	require.NoError(t, issuers.Add(other.cfg))
	c.expect(t, issuers, token, "", 0)

	require.True(t, issuers.Remove(c.cfg.Issuer))
	c.expect(t, issuers, token, ReasonIssuer, 0)
	require.NoError(t, issuers.Add(c.cfg))
	watch()
	c.expect(t, issuers, token, "", 1)
	c.expect(t, issuers, token, "", 0)

	stricter := c.cfg
	stricter.RequiredClaims = []string{"x"}
	require.NoError(t, issuers.Add(stricter))
	c.expect(t, issuers, token, ReasonClaims, 0)

	stricter.RequiredClaims, stricter.MaxTokens = nil, -1
	require.NoError(t, issuers.Add(stricter))
	watch()
	c.expect(t, issuers, token, "", 1)
	c.expect(t, issuers, token, "", 1)

	larger := c.cfg
	larger.MaxTokens = 2 * defaultMaxTokens
	require.NoError(t, issuers.Add(larger))
	watch()
	assert.Equal(t, 2*defaultMaxTokens, issuers.trusted.Load().pipeline.cache.Max())
	c.expect(t, issuers, token, "", 1)
	c.expect(t, issuers, token, "", 0)
}

func TestTokenCache_tenants(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	refuse := atomic.Bool{}
	tenants, err := NewTenants(func(context.Context, string) (Config, error) {
		if refuse.Load() {
			return Config{}, ErrUntrusted
		}
		return c.cfg, nil
	}, TenantsConfig{})
	require.NoError(t, err)
	token := c.mint(claimstest.Token{})
	c.expect(t, tenants, token, "", 0) // not watched yet
	c.watch(tenants.lookup(c.cfg.Issuer).verifier.Load())
	c.expect(t, tenants, token, "", 0)
	tokens, _ := tenants.pipeline.cache.Len()
	assert.Equal(t, 1, tokens)
	tenants.Forget(c.cfg.Issuer)
	c.expect(t, tenants, token, "", 0)
	c.watch(tenants.lookup(c.cfg.Issuer).verifier.Load())
	refuse.Store(true)
	tenants.Forget(c.cfg.Issuer)
	c.expect(t, tenants, token, ReasonIssuer, 0)
}

// Tenants that remember nothing serve an issuer whose Config says that they
// may.
func TestTokenCache_tenantsWithout(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	tenants, err := NewTenants(func(context.Context, string) (Config, error) {
		return c.cfg, nil
	}, TenantsConfig{MaxTokens: -1})
	require.NoError(t, err)
	token := c.mint(claimstest.Token{})
	c.expect(t, tenants, token, "", 0) // not watched yet
	c.watch(tenants.lookup(c.cfg.Issuer).verifier.Load())
	c.expect(t, tenants, token, "", 1)
	held, _ := tenants.pipeline.cache.Len()
	assert.Zero(t, held)
}

// Each of identical tokens that arrive together is shown to one's own check.
func TestTokenCache_togetherAndRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		c := newCounting(t, func(cfg *Config) {
			cfg.Check = func(context.Context, *Claims) error {
				if calls.Add(1) > 1 {
					return errors.New("used before")
				}
				return nil
			}
		})
		c.slow = make(chan struct{})
		v := c.verifier(t)
		token := c.mint(claimstest.Token{})
		var refused atomic.Int64
		var callers sync.WaitGroup
		for range 10 {
			callers.Go(func() {
				if caller, err := v.Authenticate(t.Context(), token); err != nil {
					assert.Nil(t, caller)
					assert.Equal(t, ReasonRejected, AsError(err).Reason())
					refused.Add(1)
				}
			})
		}
		synctest.Wait()
		close(c.slow)
		callers.Wait()
		assert.EqualValues(t, 1, c.checked.Load())
		assert.EqualValues(t, 9, refused.Load())
	})
}

// Identical tokens that arrive together are verified once, good ones.
func TestTokenCache_together(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting(t, nil)
		c.slow = make(chan struct{})
		v := c.verifier(t)
		require.NoError(t, v.Ready(t.Context()))
		token, other := c.mint(claimstest.Token{}), c.mint(claimstest.Token{})
		var callers sync.WaitGroup
		for range 50 {
			callers.Go(func() {
				_, err := v.Authenticate(t.Context(), token)
				assert.NoError(t, err)
			})
		}
		callers.Go(func() {
			_, err := v.Authenticate(t.Context(), other)
			assert.NoError(t, err)
		})
		synctest.Wait()
		assert.EqualValues(t, 2, c.checked.Load())
		// Who gives up waiting has it verified.
		ctx, cancel := context.WithCancel(t.Context())
		callers.Go(func() { _, _ = v.Authenticate(ctx, token) })
		synctest.Wait()
		assert.EqualValues(t, 2, c.checked.Load())
		cancel()
		synctest.Wait()
		assert.EqualValues(t, 3, c.checked.Load())
		close(c.slow)
		callers.Wait()
		assert.EqualValues(t, 3, c.checked.Load())

		// Refusals are nobody else's.
		bad := Credentials{Scheme: "Bearer", Token: token.Token[:len(token.Token)-8] + "AAAAAAAA"}
		for range 10 {
			callers.Go(func() { _, _ = v.Authenticate(t.Context(), bad) })
		}
		callers.Wait()
		assert.EqualValues(t, 13, c.checked.Load())
		assert.Zero(t, v.pipeline.cache.InFlight())
	})
}

// A panic of the user's check leaves nobody waiting.
func TestTokenCache_panic(t *testing.T) {
	t.Parallel()
	panics := true
	c := newCounting(t, func(cfg *Config) {
		cfg.Check = func(context.Context, *Claims) error {
			if panics {
				panic("own")
			}
			return nil
		}
	})
	v := c.verifier(t)
	token := c.mint(claimstest.Token{})
	c.expect(t, v, token, ReasonUndecided, 1)
	panics = false
	c.expect(t, v, token, "", 0)
}

// What is remembered has no part of the token, and nothing that is used again
// has.
func TestTokenCache_keepsNoToken(t *testing.T) {
	t.Parallel()
	c := newCounting(t, nil)
	v := c.verifier(t)
	token := c.mint(claimstest.Token{})
	c.expect(t, v, token, "", 1)
	signature := token.Token[strings.LastIndexByte(token.Token, '.')+1:]
	dump := ""
	for segment, h := range v.pipeline.headers.known.Load().All() {
		dump += fmt.Sprintf("%s %+v", segment, h)
	}
	require.NotEmpty(t, dump)
	for held := range v.pipeline.cache.All() {
		dump += fmt.Sprintf("%+v %+v", held, held.Value)
	}
	assert.NotContains(t, dump, signature[:10])
	// What is put into a pool is looked at before another takes it.
	released := func(spoil bool) (seeded, decoded []byte) {
		w := v.pipeline.load(token, v)
		require.NoError(t, checkForm(t.Context(), w))
		_, ok := w.decode(w.segments.payload)
		require.True(t, ok)
		if spoil {
			payload := w.segments.payload[: len(w.segments.payload)-1 : len(w.segments.payload)-1]
			_, ok = w.decode(append(payload, '!'))
			require.False(t, ok)
		} else {
			_, ok = w.decode([]byte("YWJj"))
			require.True(t, ok)
		}
		seeded, decoded = w.seeded, w.decoded[:cap(w.decoded)]
		assert.NotEqual(t, make([]byte, len(decoded)), decoded)
		w.release()
		return seeded, decoded
	}
	for _, spoil := range []bool{false, true} {
		seeded, decoded := released(spoil)
		assert.Equal(t, make([]byte, len(seeded)), seeded)
		assert.Equal(t, make([]byte, len(decoded)), decoded, "of what cannot be decoded, either")
	}
}
