package dpop_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// guarded returns wires to servers that prove tokens by DPoP, and the issuer of
// those.
func guarded(t testing.TB, cfg dpop.Config) ([]wire, *claimstest.Issuer) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{newConfirmer(t, cfg)},
	})
	require.NoError(t, err)
	return wires(t, verifier), issuer
}

// Whatever a thief has of a request but the key is worth nothing, and the
// client is told by which scheme and for what.
func TestThefts(t *testing.T) {
	t.Parallel()
	wires, issuer := guarded(t, dpop.Config{})
	owner, thief := claimstest.MustKey("ES256"), claimstest.MustKey("ES256")
	token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": owner.Thumbprint()}}})
	second := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": owner.Thumbprint()}}})
	stranger := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"x5t#S256": owner.Thumbprint()}}})
	plain := issuer.Mint(claimstest.Token{})
	for _, w := range wires {
		proofOf := func(key *claimstest.Key, token string) string {
			return key.Prove(claimstest.Proof{Method: w.method, URL: w.url, Token: token})
		}
		seen := proofOf(owner, token)
		require.True(t, w.send(t, field{"Authorization", "DPoP " + token}, field{"DPoP", seen}).ok)
		elsewhere := owner.Prove(claimstest.Proof{Method: w.method, URL: w.url + "/other", Token: token})
		for _, tt := range []struct {
			name         string
			scheme, code string // of the first challenge
			fields       []field
		}{
			{"the token alone, as Bearer", "Bearer", "invalid_token", []field{{"Authorization", "Bearer " + token}}},
			{"the token with its proof, as Bearer", "Bearer", "invalid_token", []field{
				{"Authorization", "Bearer " + token}, {"DPoP", proofOf(owner, token)},
			}},
			{"no proof", "DPoP", "invalid_dpop_proof", []field{{"Authorization", "DPoP " + token}}},
			{"a proof by the thief's key", "DPoP", "invalid_token", []field{
				{"Authorization", "DPoP " + token}, {"DPoP", proofOf(thief, token)},
			}},
			{"the proof that was seen", "DPoP", "invalid_dpop_proof", []field{
				{"Authorization", "DPoP " + token}, {"DPoP", seen},
			}},
			{"a proof for another token of the owner", "DPoP", "invalid_dpop_proof", []field{
				{"Authorization", "DPoP " + token}, {"DPoP", proofOf(owner, second)},
			}},
			{"a proof for another request", "DPoP", "invalid_dpop_proof", []field{
				{"Authorization", "DPoP " + token}, {"DPoP", elsewhere},
			}},
			{"a token that is not bound, with a proof", "DPoP", "invalid_token", []field{
				{"Authorization", "DPoP " + plain}, {"DPoP", proofOf(thief, plain)},
			}},
			{"a token that is bound in another way", "DPoP", "invalid_token", []field{
				{"Authorization", "DPoP " + stranger}, {"DPoP", proofOf(owner, stranger)},
			}},
			{"a proof for the token", "DPoP", "invalid_token", []field{
				{"Authorization", "DPoP " + proofOf(owner, token)}, {"DPoP", proofOf(owner, token)},
			}},
		} {
			t.Run(tt.name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				got := w.send(t, tt.fields...)
				require.False(t, got.ok)
				require.Len(t, got.challenges, 2)
				scheme, code := schemeOf(got.challenges[0])
				assert.Equal(t, tt.scheme, scheme)
				assert.Equal(t, tt.code, code)
				_, code = schemeOf(got.challenges[1])
				assert.Empty(t, code, "the other would do as well")
				assert.Equal(t, []string{"Bearer", "DPoP"}, schemesIn(got.challenges))
			})
		}
	}
}

// Of a thousand requests at once with one proof exactly one passes.
func TestReplay_atOnce(t *testing.T) {
	t.Parallel()
	wires, issuer := guarded(t, dpop.Config{})
	key := claimstest.MustKey("ES256")
	token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": key.Thumbprint()}}})
	for _, w := range wires[:2] {
		proof := key.Prove(claimstest.Proof{Method: w.method, URL: w.url, Token: token})
		var passed, refused atomic.Int32
		var all sync.WaitGroup
		room := make(chan struct{}, 100) // as many connections
		for range 1000 {
			all.Go(func() {
				room <- struct{}{}
				defer func() { <-room }()
				if w.send(t, field{"Authorization", "DPoP " + token}, field{"DPoP", proof}).ok {
					passed.Add(1)
				} else {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 1, passed.Load(), w.name)
		assert.EqualValues(t, 999, refused.Load(), w.name)
	}
}

// One Verifier has one memory of proofs, whatever the transport: a proof that
// fits two requests passes for one.
func TestReplay_overTransports(t *testing.T) {
	t.Parallel()
	wires, issuer := guarded(t, dpop.Config{})
	key := claimstest.MustKey("ES256")
	token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": key.Thumbprint()}}})
	var passed int
	for _, w := range wires {
		proof := key.Prove(claimstest.Proof{Method: w.method, URL: w.url, Token: token, Claims: m{"jti": "the same"}})
		if w.send(t, field{"Authorization", "DPoP " + token}, field{"DPoP", proof}).ok {
			passed++
		}
	}
	assert.Equal(t, 1, passed)
}

// While the store does not answer, tokens that are bound cannot be decided
// about, and others can.
func TestReplay_outage(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	wires, issuer := guarded(t, dpop.Config{Replays: outage{dpop.NewMemory(0), &down}})
	key := claimstest.MustKey("ES256")
	token, plain := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": key.Thumbprint()}}}), issuer.Mint(claimstest.Token{})
	for _, w := range wires {
		try := func() answer {
			proof := key.Prove(claimstest.Proof{Method: w.method, URL: w.url, Token: token})
			return w.send(t, field{"Authorization", "DPoP " + token}, field{"DPoP", proof})
		}
		down.Store(true)
		got := try()
		assert.Contains(t, []string{"Service Unavailable", "Unavailable"}, got.code, w.name)
		assert.Empty(t, got.challenges)
		assert.True(t, w.send(t, field{"Authorization", "Bearer " + plain}).ok, w.name)
		down.Store(false)
		assert.True(t, try().ok, "back by itself")
	}
}

// A new nonce comes with a response that is served, and says that nobody may
// keep that.
func TestNonce_onSuccess(t *testing.T) {
	t.Parallel()
	wires, issuer := guarded(t, dpop.Config{RequireNonce: true, NonceLifetime: maxNonce})
	key := claimstest.MustKey("ES256")
	token := issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": key.Thumbprint()}}})
	for _, w := range wires {
		try := func(nonce string) answer {
			proof := key.Prove(claimstest.Proof{Method: w.method, URL: w.url, Token: token, Nonce: nonce})
			return w.send(t, field{"Authorization", "DPoP " + token}, field{"DPoP", proof})
		}
		nonce := try("").nonce
		require.NotEmpty(t, nonce, w.name)
		require.Eventually(t, func() bool { // once half of its life is over
			before, got := nonce, try(nonce)
			if !got.ok { // it is late
				nonce = got.nonce
			}
			return got.ok && got.nonce != "" && got.nonce != before &&
				(w.name != "HTTP" || got.fields.Get("Cache-Control") == "no-store")
		}, waiting, tick, w.name)
	}
}
