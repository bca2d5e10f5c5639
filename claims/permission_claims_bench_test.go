//go:build !race

package claims

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// BenchmarkPermissionClaims measures what it costs to find the permissions in
// claims, beside what it costs to read the claims.
func BenchmarkPermissionClaims(b *testing.B) {
	const registered = `{"iss":"https://issuer.example","sub":"auth0|65f1c0ffee0123456789abcd",` +
		`"aud":["https://api.example"],"exp":1900000000,"iat":1800000000,"jti":"b3c2b1",` +
		`"azp":"0oa2kq7x1bVn8RtYw5d7","scope":"openid profile orders:read orders:write",`
	for _, row := range []struct{ name, object string }{
		{"array", registered + `"permissions":["orders:read","orders:write","orders:refund",` +
			`"customers:read","invoices:read"]}`},
		{"Keycloak", registered + `"realm_access":{"roles":["default-roles-shop","offline_access","clerk"]},` +
			`"resource_access":{"orders":{"roles":["read","write"]},` +
			`"account":{"roles":["manage-account","manage-account-links","view-profile"]}}}`},
	} {
		paths := []string{"permissions", "realm_access.roles", "resource_access.*.roles"}
		mapping := newPermissionMapping(paths, nil)
		var t token
		f, refusal := parseClaims(row.object, &t.members)
		require.Nil(b, refusal)
		t.claims = f
		b.Run(row.name+"/claims", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var members strict.Members
				if _, refusal := parseClaims(row.object, &members); refusal != nil {
					b.Fatal(refusal)
				}
			}
		})
		b.Run(row.name+"/permissions", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(mapping.of(&t)) == 0 {
					b.Fatal("none")
				}
			}
		})
	}
}
