package bench

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/claims"
)

const transportAlg = "RS256"

var errNotServed = errors.New("bench: the request was not served")

// stack is a handler with a transport's guard in front of it.
type stack struct {
	// name says whose guard it is and what happens to the token: "given" means
	// that it was verified beforehand, so that the guard alone is measured.
	name string

	// request returns a function that makes the same request again and again
	// and reports whether the handler was reached. One request is in use at a
	// time.
	request func(token string) (serve func() bool)
}

func benchmarkStacks(b *testing.B, w *world, stacks []stack) {
	token := w.good(transportAlg)
	for _, s := range stacks {
		b.Run(s.name, func(b *testing.B) {
			serve := s.request(token)
			if !serve() { // fetches the keys
				b.Fatal(errNotServed)
			}
			measure(b, func() error {
				if !serve() {
					return errNotServed
				}
				return nil
			})
		})
	}
}

// testStacks checks that a guard serves callers with a good token and nobody
// else.
func testStacks(t *testing.T, w *world, stacks []stack) {
	for _, s := range stacks {
		t.Run(s.name, func(t *testing.T) {
			if !s.request(w.good(transportAlg))() {
				t.Error("a good token was refused")
			}
			verifies := s.name != "impl=none" && !strings.HasSuffix(s.name, "token=given")
			if verifies && s.request(withBadSignature(w.good(transportAlg)))() {
				t.Error("a bad signature was accepted")
			}
			if verifies && s.request(w.withoutScope(transportAlg))() {
				t.Error("a token without the scope was accepted")
			}
		})
	}
}

// given takes whatever token comes for one that was verified before.
type given struct{ caller *claims.Claims }

func (g given) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return g.caller, nil
}

func newGiven(tb testing.TB, w *world) given {
	tb.Helper()
	caller, err := uncachedVerifier(tb, w).Authenticate(tb.Context(),
		claims.Credentials{Scheme: "Bearer", Token: w.good(transportAlg)})
	if err != nil {
		tb.Fatal(err)
	}
	return given{caller}
}

// authenticators are the ways in which Sallyport's guards come to know a
// caller.
func authenticators(tb testing.TB, w *world) []authenticator {
	tb.Helper()
	return []authenticator{
		{"given", newGiven(tb, w)},
		{"verified", uncachedVerifier(tb, w)},
		{"cached", cachedVerifier(tb, w)},
	}
}

type authenticator struct {
	name string
	auth claims.Authenticator
}
