package claims

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestClaims_ValidUntil_byAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for age, want := range map[time.Duration]time.Duration{
			0: time.Hour + 30*time.Second, time.Minute: 90 * time.Second,
			2 * time.Hour: time.Hour + 30*time.Second, math.MaxInt64: time.Hour + 30*time.Second,
		} {
			c := newCounting(t, func(cfg *Config) { cfg.MaxTokenAge = age })
			caller, err := c.verifier(t).Authenticate(t.Context(), c.mint(claimstest.Token{Lifetime: time.Hour}))
			require.NoError(t, err, age)
			assert.Equal(t, want, time.Until(caller.ValidUntil()), age)
		}
	})
}
