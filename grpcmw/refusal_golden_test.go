package grpcmw_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
)

var update = flag.Bool("update", false, "write the tables of testdata anew")

// assertGolden compares what was found with a table of testdata.
func assertGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "write it with -update")
	require.NotEmpty(t, want)
	assert.Equal(t, string(want), got, "if it is meant to be so: go test -update")
}

// refuser is an Authenticator that accepts no token, and says why.
type refuser struct{ err error }

func (r refuser) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, r.err
}

// situation is a call that is refused.
type situation struct {
	auth          claims.Authenticator
	needs         claims.Requirement
	authorization []string
}

// situations are calls for each reason that there is, and those that are
// refused by what a requirement asks for, by a key set that is away, or by the
// call itself. What stands behind the refusals is for no client.
func situations(t testing.TB) map[string]situation {
	t.Helper()
	const internal = "claims: dial tcp db.internal:5432: password hunter2"
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	away, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: outOfOrder{},
	})
	require.NoError(t, err)
	token := "Bearer " + issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "orders:read", Claims: map[string]any{"acr": "0"},
	})
	broken := claims.Func("broken", func(context.Context, *claims.Claims) (bool, error) {
		return false, errors.New(internal)
	})
	never := claims.Func("never", func(context.Context, *claims.Claims) (bool, error) {
		return false, nil
	})
	write := claims.Scopes("orders:read", "orders:write")
	both := claims.All(write, claims.ACR("1", "2"), claims.MaxAge(90*time.Second))
	all := map[string]situation{
		"no token":                     {verifier, claims.Authenticated(), nil},
		"no token, scope needed":       {verifier, both, nil},
		"another scheme, scope needed": {verifier, write, []string{"Basic dTpw"}},
		"two values":                   {verifier, write, []string{token, token}},
		"no scheme":                    {verifier, write, []string{"a.b.c"}},
		"bad token, scope needed":      {verifier, write, []string{token[:strings.LastIndexByte(token, '.')] + ".AAAA"}},
		"scope missing":                {verifier, write, []string{token}},
		"authentication too weak":      {verifier, claims.ACR("1", "2"), []string{token}},
		"authentication too old":       {verifier, claims.MaxAge(90 * time.Second), []string{token}},
		"scope missing and too weak":   {verifier, both, []string{token}},
		"permission missing":           {verifier, never, []string{token}},
		"cannot be decided":            {verifier, broken, []string{token}},
		"no keys for a minute":         {away, claims.Authenticated(), []string{token}},
	}
	for _, refusal := range claims.Refusals() {
		err := claims.NewError(refusal.Class(), refusal.Reason(), errors.New(internal))
		all["reason "+string(refusal.Reason())] = situation{
			refuser{fmt.Errorf("%s: %w", internal, err)}, claims.Authenticated(), []string{token},
		}
	}
	return all
}

// What clients are told of every refusal, the same by each kind of call and
// server.
func TestRefusals_golden(t *testing.T) {
	t.Parallel()
	all := situations(t)
	for name, row := range map[string]struct{ way, method string }{
		"unary":             {"native", "Unary"},
		"server stream":     {"native", "ServerStream"},
		"client stream":     {"native", "ClientStream"},
		"bidi":              {"native", "Bidi"},
		"ServeHTTP, unary":  {"ServeHTTP", "Unary"},
		"ServeHTTP, stream": {"ServeHTTP", "Bidi"},
		"proxy, unary":      {"proxy", "Unary"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var table strings.Builder
			for _, situation := range slices.Sorted(maps.Keys(all)) {
				fmt.Fprintf(&table, "=== %s\n%s\n", situation, told(t, all[situation], row.way, row.method))
			}
			for _, secret := range []string{
				"hunter2", "db.internal", "claims:", "jwks:", "grpcmw:", "eyJ", ".go", "goroutine", "127.0.0.1", "dial",
			} {
				assert.NotContains(t, table.String(), secret)
			}
			assertGolden(t, "refusals.txt", table.String())
		})
	}
}

// told returns what a client is told in a situation.
func told(t *testing.T, s situation, way, method string) string {
	const service = "golden.Service"
	auth, err := grpcmw.New(s.auth, grpcmw.Config{
		Policy: grpcmw.Policy{"/" + service + "/" + method: s.needs},
		Realm:  `the "orders"`, Domain: "orders.example",
	})
	require.NoError(t, err)
	server := grpc.NewServer(auth.ServerOptions()...)
	server.RegisterService(kindsOf(service, &seen{}, nil), nil)
	address, _ := ways[way](t, server)
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	got := invoke(withAuthorization(ctx, s.authorization), dial(t, address), service, method, "x")
	st := status.Convert(got.err)
	info, retry := details(t, st)
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s\nErrorInfo: %s of %s\n", st.Code(), st.Message(), info.GetReason(), info.GetDomain())
	for _, key := range slices.Sorted(maps.Keys(info.GetMetadata())) {
		fmt.Fprintf(&b, "\t%s: %s\n", key, info.GetMetadata()[key])
	}
	if retry != nil {
		fmt.Fprintf(&b, "RetryInfo: %v\n", retry.GetRetryDelay().AsDuration())
	}
	for _, part := range []struct {
		name string
		of   map[string][]string
	}{{"header", got.header}, {"trailer", got.trailer}} {
		for _, key := range slices.Sorted(maps.Keys(part.of)) {
			if key != "content-type" && key != "date" && key != "trailer" && key != "grpc-status-details-bin" {
				fmt.Fprintf(&b, "%s %s: %s\n", part.name, key, strings.Join(part.of[key], " | "))
			}
		}
	}
	return b.String()
}
