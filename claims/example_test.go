package claims_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

func ExampleNewIssuers() {
	issuers, err := claims.NewIssuers(
		claims.Config{
			Issuer:    "https://issuer.example",
			Audiences: []string{"https://orders.example"},
		},
		claims.Config{
			Issuer:     "https://partner.example",
			Audiences:  []string{"orders"},
			Algorithms: []string{"ES256"},
		},
	)
	if err != nil {
		log.Fatal(err)
	}
	issuers.Remove("https://partner.example") // from the next request on
	fmt.Println(issuers.Trusted())
	// Output: [https://issuer.example]
}

// An issuer that has one identifier per tenant and the same keys for all, as
// Microsoft Entra has.
func ExampleConfig_tenant() {
	const issuer = "https://login.microsoftonline.com/{tenantid}/v2.0"
	keys, err := jwks.NewCache(jwks.Config{
		Issuer: issuer,
		MetadataURL: "https://login.microsoftonline.com/common/v2.0" +
			"/.well-known/openid-configuration",
	})
	if err != nil {
		log.Fatal(err)
	}
	customers := map[string]bool{"9188040d-6c67-4c5b-b112-36a304b66dad": true}
	_, err = claims.NewVerifier(claims.Config{
		Issuer:      issuer,
		TrustTenant: func(tenant string) bool { return customers[tenant] },
		Audiences:   []string{"api://orders"},
		Keys:        keys,
	})
	fmt.Println(err)
	// Output: <nil>
}

// Issuers by the thousand, known to a database.
func ExampleNewTenants() {
	tenants, err := claims.NewTenants(func(ctx context.Context, issuer string) (claims.Config, error) {
		name, ok := strings.CutPrefix(issuer, "https://id.example/")
		if !ok || !isCustomer(ctx, name) {
			return claims.Config{}, claims.ErrUntrusted
		}
		return claims.Config{Issuer: issuer, Audiences: []string{"orders"}}, nil
	}, claims.TenantsConfig{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tenants.Len())
	// Output: 0
}

func isCustomer(context.Context, string) bool { return true }

func ExampleFunc() {
	own := claims.Func("own tenant", func(_ context.Context, caller *claims.Claims) (bool, error) {
		var private struct {
			Tenant string `json:"tenant"`
		}
		if err := caller.Decode(&private); err != nil {
			return false, nil // no tenant that could be read
		}
		return private.Tenant == "t1", nil
	})
	fmt.Println(claims.All(claims.Scopes("orders:read"), own))
	// Output: All(Scopes("orders:read"), Func("own tenant"))
}
