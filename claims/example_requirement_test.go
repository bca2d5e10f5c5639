package claims_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/sallyport-go/sallyport/claims"
)

// The issuer of these claims has a scope that implies two others. A refusal
// asks for the scope that the operation names.
func ExampleConfig_scopeMap() {
	meaning := claims.Config{ScopeMap: map[string][]string{
		"orders:admin": {"orders:read", "orders:write"},
	}}
	needs := claims.Scopes("orders:read")
	for _, token := range []string{`{"scope": "orders:admin"}`, `{"scope": "orders"}`} {
		caller, err := claims.FromJSON([]byte(token), meaning)
		if err != nil {
			log.Fatal(err)
		}
		if err := claims.Allowed(claims.NewContext(context.Background(), caller), needs); err != nil {
			fmt.Println("refused, ask for", claims.AsError(err).Scope())
			continue
		}
		fmt.Println("allowed by", caller.Scopes())
	}
	// Output:
	// allowed by [orders:admin orders:read orders:write]
	// refused, ask for orders:read
}

// Partners are granted a scope, and our own staff a permission. Who has neither
// is told of the scope: another token would help.
func ExampleAnyOf() {
	needs := claims.AnyOf(claims.Permissions("orders:refund"), claims.Scopes("orders:write"))
	meaning := claims.Config{PermissionClaims: []string{"permissions"}}
	for _, token := range []string{
		`{"sub": "ada", "permissions": ["orders:refund"]}`,
		`{"sub": "partner", "scope": "orders:write"}`,
		`{"sub": "guest"}`,
	} {
		caller, err := claims.FromJSON([]byte(token), meaning)
		if err != nil {
			log.Fatal(err)
		}
		if err := claims.Allowed(claims.NewContext(context.Background(), caller), needs); err != nil {
			fmt.Println(caller.Subject(), "is refused, and may ask for", claims.AsError(err).Scope())
			continue
		}
		fmt.Println(caller.Subject(), "is allowed")
	}
	// Output:
	// ada is allowed
	// partner is allowed
	// guest is refused, and may ask for orders:write
}

// Where something cannot be decided, Filter returns an error beside the items
// that can be shown: a handler that shows those alone says that some may be
// missing, and one that cannot answers with the error.
func ExampleFilter() {
	archive := claims.Func("archive", func(context.Context, *claims.Claims) (bool, error) {
		return false, errors.New("the archive does not answer")
	})
	caller, err := claims.FromJSON([]byte(`{"sub": "ada", "scope": "orders:read"}`), claims.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx := claims.NewContext(context.Background(), caller)
	shown, err := claims.Filter(ctx, []string{"o1", "o2", "old1"}, func(order string) claims.Requirement {
		if order == "old1" {
			return archive
		}
		return claims.Scopes("orders:read")
	})
	fmt.Println(shown, errors.Is(err, claims.ErrUnavailable))
	// Output: [o1 o2] true
}
