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

// A value that is there many times is held once, though it was put together
// many times.
func TestPermissions_repeatedRoles(t *testing.T) {
	list := make([]string, 50)
	for i := range list {
		list[i] = fmt.Sprintf(`"%02d"`, i) + strings.Repeat(`,"x"`, 60)
	}
	roles := strings.Join(list, ",")
	for name, row := range map[string]struct {
		more string
		want int
	}{
		"repeated": {"", 51},
		"taken back": {
			`,"b":{"roles":[` + strings.ReplaceAll(roles, `"x"`, `"y"`) + `,0]}`, 51,
		},
	} {
		object := []byte(`{"resource_access":{"client":{"roles":[` + roles + `]}` + row.more + `}}`)
		cfg := Config{PermissionClaims: []string{"resource_access.*.roles"}}
		var caller *Claims
		grown := grownBy(func() {
			var err error
			caller, err = FromJSON(object, cfg)
			require.NoError(t, err)
		})
		runtime.KeepAlive(object)
		assert.Len(t, caller.Permissions(), row.want, name)
		assert.LessOrEqual(t, grown, len(object)+8<<10, name)
	}
}
