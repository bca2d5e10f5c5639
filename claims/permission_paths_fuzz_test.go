package claims_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
)

// FuzzPermissionClaims: whatever the path and the claims, what is granted is
// bounded by the claims, is there once, and is the same however often a path is
// named.
func FuzzPermissionClaims(f *testing.F) {
	for _, path := range []string{
		"roles", "a.b", "a.*.b", "*.a", "a.@names", "a[].b", "a[*b].c", `["a.b"]["c"]`, "a[*b].*.@names",
		"https://a.example/roles", "a..b", `a["\u0061"].b`, "a[][].b",
	} {
		for _, object := range []string{
			`{"roles":["x","y",""],"a":{"b":["x",{"b":"k","c":"z"}],"c":{"b":"w"}},"a.b":{"c":"v"}}`,
			`{"a":[{"b":"k","c":{"d":{"e":true}}},[{"b":"m"}]],"https://a.example/roles":"r"}`,
		} {
			f.Add(path, object)
		}
	}
	f.Fuzz(func(t *testing.T, path, object string) {
		caller, err := claims.FromJSON([]byte(object), claims.Config{PermissionClaims: []string{path}})
		if err != nil {
			return
		}
		granted, size := caller.Permissions(), 0
		for i, permission := range granted {
			size += len(permission)
			assert.NotEmpty(t, permission)
			assert.NotContains(t, granted[:i], permission)
		}
		assert.LessOrEqual(t, size, 17*len(object))
		again, err := claims.FromJSON([]byte(object), claims.Config{PermissionClaims: []string{path, path}})
		assert.NoError(t, err)
		assert.True(t, slices.Equal(granted, again.Permissions()))
	})
}
