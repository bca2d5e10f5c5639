package grpcmw_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

func TestNew_reportsEverything(t *testing.T) {
	t.Parallel()
	_, err := grpcmw.New(nil, grpcmw.Config{Policy: grpcmw.Policy{
		"orders.v1.Orders/GetOrder":  claims.Authenticated(),
		"/orders.v1.Orders":          claims.Authenticated(),
		"/orders.v1.Orders/*":        claims.Authenticated(),
		"/orders.v1.Orders/a/b":      claims.Authenticated(),
		"//GetOrder":                 claims.Authenticated(),
		"/orders.v1.Orders/":         claims.Authenticated(),
		"":                           claims.Authenticated(),
		"/orders.v1.Orders/GetOrder": claims.Scopes(),
	}})
	require.Error(t, err)
	for _, want := range []string{
		`"orders.v1.Orders/GetOrder" is not a full method name`,
		`"/orders.v1.Orders" is not a full method name`,
		`"/orders.v1.Orders/*" is not a full method name`,
		`"/orders.v1.Orders/a/b" is not a full method name`,
		`"//GetOrder" is not a full method name`,
		`"/orders.v1.Orders/" is not a full method name`,
		`"" is not a full method name`,
		`/orders.v1.Orders/GetOrder: claims: Scopes needs at least one scope`,
		"grpcmw: New: auth is nil",
	} {
		assert.ErrorContains(t, err, want)
	}

	_, err = grpcmw.New((*claims.Verifier)(nil), grpcmw.Config{Policy: grpcmw.Policy{
		"/orders.v1.Orders/GetOrder": claims.Authenticated(),
	}})
	assert.ErrorContains(t, err, "grpcmw: New: auth is a nil pointer")

	_, err = grpcmw.New(verifier(t), grpcmw.Config{})
	assert.ErrorContains(t, err, "Policy is empty")
}

// A permission that neither tokens nor a source can grant is named at start: of
// methods whose messages the program knows, and of others.
func TestNew_permissionThatNothingGrants(t *testing.T) {
	t.Parallel()
	config := func(issuer string, permissions ...string) claims.Config {
		return claims.Config{
			Issuer: issuer, Audiences: []string{"https://orders.example"}, PermissionClaims: permissions,
		}
	}
	issuers, err := claims.NewIssuers(config("https://a.example"))
	require.NoError(t, err)
	policy := everything(claims.Authenticated())
	const known, unknown = testpb.TestService_UnaryCall_FullMethodName, "/x.Y/Pay"
	policy[known], policy[unknown] = claims.Permissions("x"), claims.InWorkspaceOf("of",
		func(fmt.Stringer) string { return "" }, claims.Permissions("y"))
	_, err = grpcmw.New(issuers, grpcmw.Config{Policy: policy})
	assert.ErrorContains(t, err, "grpcmw: Config.Policy: "+known+`: claims: Permissions("x") can never be met: `)
	assert.ErrorContains(t, err, "grpcmw: Config.Policy: "+unknown+`: claims: InWorkspaceOf("of", Permissions("y")) can never be met: `)
	assert.NotContains(t, err.Error(), "wants a", "nobody knows its messages")
	_, err = grpcmw.New(issuers, grpcmw.Config{Policy: policy, Permissions: grants})
	assert.NoError(t, err)

	// By the time of the audit it may be gone.
	delete(policy, unknown)
	require.NoError(t, issuers.Add(config("https://b.example", "permissions")))
	auth, err := grpcmw.New(issuers, grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	server := grpc.NewServer()
	testpb.RegisterTestServiceServer(server, &service{})
	require.NoError(t, auth.Audit(server))
	issuers.Remove("https://b.example")
	assert.ErrorContains(t, auth.Audit(server), known+`: claims: Permissions("x") can never be met: `)
}

func TestNew_copiesThePolicy(t *testing.T) {
	t.Parallel()
	policy := everything(claims.Authenticated())
	auth, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: policy})
	require.NoError(t, err)
	server := grpc.NewServer()
	testpb.RegisterTestServiceServer(server, &service{})
	clear(policy)
	assert.NoError(t, auth.Audit(server))
}

func TestNew_tellsWhatANameLacks(t *testing.T) {
	t.Parallel()
	for entry, want := range map[string]string{
		"orders.v1.Orders/GetOrder":   ` (did you mean "/orders.v1.Orders/GetOrder"?)`,
		"/orders.v1.Orders/GetOrder/": ` (did you mean "/orders.v1.Orders/GetOrder"?)`,
		"//orders.v1.Orders/GetOrder": ` (did you mean "/orders.v1.Orders/GetOrder"?)`,
		"orders.v1.Orders.GetOrder":   ` (did you mean "/orders.v1.Orders/GetOrder"?)`,
		"/orders.v1.Orders.GetOrder":  ` (did you mean "/orders.v1.Orders/GetOrder"?)`,
		"/orders.v1.Orders/*":         `: there are no wildcards, each method has an entry`,
		"*":                           `: there are no wildcards, each method has an entry`,
		"/orders.v1.Orders":           ``,
		"orders.v1.":                  ``,
		"GetOrder":                    ``,
		"Orders.getOrder":             ``,
		"orders.Orders.Extra/Get":     ` (did you mean "/orders.Orders.Extra/Get"?)`,
		".A":                          ``,
		"/orders.v1/Orders/GetOrder":  ``,
		"/":                           ``,
		"":                            ``,
	} {
		_, err := grpcmw.New(verifier(t), grpcmw.Config{Policy: grpcmw.Policy{
			entry: claims.Authenticated(),
		}})
		assert.EqualError(t, err, fmt.Sprintf("grpcmw: Config.Policy: %q is not a full method name, "+
			`"/package.Service/Method"%s`, entry, want))
	}
}

func TestPolicy_Operations(t *testing.T) {
	t.Parallel()
	got := grpcmw.Policy{
		"/s.S/B": claims.Scopes("b"), "/s.S/A": claims.Public(), "/s.S/C": claims.Authenticated(),
	}.Operations()
	assert.Equal(t, []claims.Operation{
		{Protocol: "gRPC", Name: "/s.S/A", Requirement: claims.Public()},
		{Protocol: "gRPC", Name: "/s.S/B", Requirement: claims.Scopes("b")},
		{Protocol: "gRPC", Name: "/s.S/C", Requirement: claims.Authenticated()},
	}, got)
	assert.Equal(t, claims.AccessTable(got), claims.NewAccessTable(got))
	assert.Empty(t, grpcmw.Policy(nil).Operations())
}
