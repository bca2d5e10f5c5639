package claimstest_test

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// Many at a time, as one alone can do with the entropy that is there before.
func TestIssuer_inBubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{})
		var minting sync.WaitGroup
		for _, algorithm := range []string{"ES256", "PS256", "EdDSA", ""} {
			for range 4 {
				minting.Go(func() {
					key := issuer.Rotate(algorithm)
					header, _ := decode(t, issuer.Mint(claimstest.Token{Key: key}))
					assert.Equal(t, key.ID, header["kid"])
				})
			}
		}
		minting.Wait()
		assert.Panics(t, func() { issuer.Rotate("HS256") })
		assert.NotEmpty(t, issuer.Mint(claimstest.Token{}), "after a panic")
	})
}

func TestIssuer_inBubbleUnderFIPS140(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestIssuer_inBubble$")
	child.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := child.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Skipf("the test cannot run itself: %v", err)
	}
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "PASS")
}
