package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// requiredScope is what every contestant looks for among the scopes.
const requiredScope = "orders:read"

var errScope = errors.New("bench: scope missing")

// verify checks a token and that it has requiredScope, and returns its subject.
type verify func(ctx context.Context, token string) (subject string, err error)

type contestant struct {
	name string

	// start sets the contestant up for tokens of w that are signed by alg.
	start func(tb testing.TB, w *world, alg string) verify

	// followsRotation says that a key which was published after the keys were
	// fetched is found when a token names it.
	followsRotation bool
}

var (
	uncached = contestant{"sallyport", startUncached, true}
	granting = contestant{"sallyport-permissions", startGranting, true}
	cached   = contestant{"sallyport-cached", startCached, true}
	peers    = []contestant{
		{"golang-jwt", startGolangJWT, true},
		{"go-oidc", startGoOIDC, true},
		{"jwx", startJWX, false},
		{"auth0-v2", startAuth0v2, false},
		{"auth0-v3", startAuth0v3, false},
	}
)

// inTurns are those whose price is told in turns with the primitive's: the
// second also reads permissions from the claims.
func inTurns() []contestant { return append([]contestant{uncached, granting}, peers...) }

// verifiers are the contestants that check the signature of every token.
func verifiers() []contestant { return append([]contestant{uncached}, peers...) }

func everyContestant() []contestant { return append([]contestant{uncached, cached}, peers...) }

// warm starts the contestant and has it verify one good token, so that keys are
// fetched and whatever it keeps is in place.
func (c contestant) warm(tb testing.TB, w *world, alg string) verify {
	tb.Helper()
	v := c.start(tb, w, alg)
	got, err := v(tb.Context(), w.good(alg))
	if err != nil || got != subject {
		tb.Fatalf("%s: subject %q, %v", c.name, got, err)
	}
	return v
}

// hasScope looks for a scope in a "scope" claim (RFC 8693 section 4.2), for the
// contestants that leave it to their caller.
func hasScope(claim, scope string) bool {
	for s := range strings.FieldsSeq(claim) {
		if s == scope {
			return true
		}
	}
	return false
}
