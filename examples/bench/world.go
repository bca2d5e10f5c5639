package bench

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const (
	subject  = "auth0|65f1c0ffee0123456789abcd"
	audience = claimstest.Audience
	lifetime = time.Hour
	// rememberedTokens are the tokens whose memory is measured, and a tenth of
	// what a cache takes.
	rememberedTokens = 10_000
)

var algorithms = []string{"RS256", "PS256", "ES256", "EdDSA"}

// issuerKeys has one key for each algorithm, made once: RSA keys take long.
var issuerKeys = sync.OnceValue(func() map[string]*claimstest.Key {
	keys := map[string]*claimstest.Key{}
	for _, alg := range algorithms {
		keys[alg] = claimstest.MustKey(alg)
	}
	return keys
})

// world is an issuer on a loopback address with one key for each algorithm.
type world struct {
	issuer *claimstest.Issuer
	keySet atomic.Pointer[[]byte]
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	w := &world{issuer: claimstest.Start(tb, claimstest.Config{Lifetime: lifetime})}
	first := w.issuer.Key()
	for _, alg := range algorithms {
		w.issuer.Publish(issuerKeys()[alg])
	}
	w.issuer.Revoke(first)
	w.refreshKeySet()
	// The key set is encoded once and not for each fetch, so that a contestant
	// that fetches often is not charged for the issuer's work.
	w.issuer.Intercept(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/jwks") {
				next.ServeHTTP(rw, r)
				return
			}
			rw.Header().Set("Content-Type", "application/jwk-set+json")
			_, _ = rw.Write(*w.keySet.Load())
		})
	})
	return w
}

func (w *world) refreshKeySet() {
	document := w.issuer.KeySet()
	w.keySet.Store(&document)
}

// announce makes a key ready that the issuer serves once publish is called.
func (w *world) announce(key *claimstest.Key) (publish func()) {
	w.issuer.Publish(key)
	document := w.issuer.KeySet()
	return func() { w.keySet.Store(&document) }
}

// fetches returns how often the key set was fetched so far.
func (w *world) fetches() int { return w.issuer.KeySetRequests() }

// good returns a valid token.
func (w *world) good(alg string) string {
	return w.issuer.Mint(realistic(issuerKeys()[alg]))
}

// realistic is an access token as large commercial issuers mint them: about 900
// bytes where it is signed with RSA.
func realistic(key *claimstest.Key) claimstest.Token {
	return claimstest.Token{
		Subject:  subject,
		ClientID: "0oa2kq7x1bVn8RtYw5d7",
		Audience: []string{audience},
		Scope:    "openid profile " + requiredScope + " orders:write",
		Claims: map[string]any{
			"permissions": []string{"orders:read", "orders:write"},
			"org":         map[string]any{"id": "org_9ZbT4", "plan": "team"},
			"email":       "zoe@example.com",
		},
		Key: key,
	}
}
