package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestContestants(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		w := newWorld(t)
		for _, c := range append(everyContestant(), granting) {
			t.Run(alg+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				v := c.warm(t, w, alg)
				for _, r := range w.refusals(alg) {
					got, err := v(t.Context(), r.tokens[0])
					assert.Error(t, err, r.kind)
					assert.Empty(t, got, r.kind)
				}
				_, err := v(t.Context(), w.withoutScope(alg))
				assert.ErrorIs(t, err, errScope)
				got, err := v(t.Context(), w.good(alg))
				require.NoError(t, err)
				assert.Equal(t, subject, got)
			})
		}
	}
}

func TestContestants_followRotation(t *testing.T) {
	t.Parallel()
	for _, c := range everyContestant() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			v := c.warm(t, w, "RS256")
			w.announce(nextKey())()
			_, err := v(t.Context(), w.issuer.Mint(realistic(nextKey())))
			assert.Equal(t, c.followsRotation, err == nil, err)
		})
	}
}

func TestPrimitive(t *testing.T) {
	t.Parallel()
	for _, alg := range algorithms {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			key := issuerKeys()[alg].Public()
			assert.NoError(t, newPrimitive(t, key, alg, w.good(alg))())
			assert.Error(t, newPrimitive(t, key, alg, withBadSignature(w.good(alg)))())
		})
	}
}

// Tokens of a size that no issuer mints would flatter whoever is slow at the
// signature or slow at the claims.
func TestTokens_areOfTheUsualSize(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, alg := range algorithms {
		length := len(w.good(alg))
		t.Log(alg, length)
		if alg == "RS256" || alg == "PS256" {
			assert.InDelta(t, 900, length, 50, alg)
		}
	}
}
