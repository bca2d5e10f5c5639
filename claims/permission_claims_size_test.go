package claims

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// grownBy is by how much f makes the heap grow.
func grownBy(f func()) int {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int(after.HeapAlloc) - int(before.HeapAlloc)
}

// A long name before many short roles would take megabytes of a token of 12
// KiB.
func TestPermissions_longNames(t *testing.T) {
	c := newCounting(t, func(cfg *Config) { cfg.Profile, cfg.MaxTokens = Keycloak, -1 })
	v := c.verifier(t)
	mint := func(name, roles int) Credentials {
		list := make([]string, roles)
		for i := range list {
			list[i] = fmt.Sprintf("%03d", i)
		}
		return c.mint(claimstest.Token{Subject: "alice", ClientID: "a", Claims: map[string]any{
			"typ": "Bearer", "azp": "a",
			"resource_access": map[string]any{strings.Repeat("n", name): map[string]any{"roles": list}},
		}})
	}
	permissions := func(r Credentials) []string {
		caller, err := v.Authenticate(t.Context(), r)
		require.NoError(t, err)
		return caller.Permissions()
	}
	assert.Len(t, permissions(mint(36, 100)), 100)
	assert.Empty(t, permissions(mint(6000, 300)), "none at all")
	long := mint(6000, 300)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := v.Authenticate(t.Context(), long)
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	assert.LessOrEqual(t, int(after.TotalAlloc-before.TotalAlloc), 28*len(long.Token))
}
