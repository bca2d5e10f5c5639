package revocation_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// News by whatever a token has ends all that is open with it, and refuses it
// from then on, remembered or not, by each protocol: of each kind of token. The
// tokens of others go on.
func TestTable_kindsOfToken(t *testing.T) {
	t.Parallel()
	for kind, newCredentials := range credentialKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			c := newCredentials(t)
			for name, entry := range c.entries {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					if name == "issuer" {
						entry.Before = time.Now()
					}
					c.assertEnd(t, entry, name == "issuer")
				})
			}
		})
	}
}

// assertEnd checks that an entry ends what alice has, and bob if so, and
// nothing else.
func (c credentials) assertEnd(t *testing.T, entry revocation.Entry, bob bool) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	table := newTable(t, revocation.Config{})
	a := newAPI(t, c.newAuth(t), table)
	ends, goOn := []credential{c.alice}, []credential{c.namesake}
	if bob {
		ends = append(ends, c.bob)
	} else {
		goOn = append(goOn, c.bob)
	}
	opened := map[credential]open{}
	for _, who := range append(ends, goOn...) {
		require.Equal(t, http.StatusOK, a.get(t, ctx, "/", who).StatusCode)
		require.NoError(t, a.call(ctx, who))
		opened[who] = a.open(t, ctx, who)
	}

	require.NoError(t, table.Revoke(ctx, entry))
	for _, who := range ends {
		opened[who].assertEnds(t)
	}
	close(a.pulse)
	for _, who := range goOn {
		opened[who].assertGoesOn(t)
	}

	anew := newAPI(t, c.newAuth(t), table) // which has seen none of them
	for _, api := range []*api{a, anew} {
		for _, who := range ends {
			response := api.get(t, ctx, "/", who)
			assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
			assert.Contains(t, response.Header.Get("WWW-Authenticate"), revokedText)
			assertRevoked(t, api.call(ctx, who))
		}
		for _, who := range goOn {
			assert.Equal(t, http.StatusOK, api.get(t, ctx, "/", who).StatusCode)
			assert.NoError(t, api.call(ctx, who))
		}
	}

	each := map[claims.Reason]int{claims.ReasonRevoked: len(ends)}
	a.mu.Lock()
	defer a.mu.Unlock()
	assert.Equal(t, map[string]map[claims.Reason]int{
		"GET /": each, "GET /events": each, "GET /socket": each,
		service + "Unary": each, service + "Watch": each, service + "Talk": each,
	}, a.refused, "each ended once, for that reason")
}
