package grpcmw_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// tierOf is what everybody writes who forgets that a claim is the issuer's:
// here it is a number.
func tierOf(caller *claims.Claims) string {
	m := map[string]any{"tier": 1}
	if caller != nil {
		_ = caller.Decode(&m)
	}
	return m["tier"].(string)
}

// tierKeys is a KeySource.
type tierKeys struct{}

func (tierKeys) Lookup(context.Context, string, string) ([]*jwks.Key, error) {
	return nil, fmt.Errorf("no keys of %s", tierOf(nil))
}

// tierAuth is an Authenticator.
type tierAuth struct{ claims.Authenticator }

func (a tierAuth) Authenticate(ctx context.Context, c claims.Credentials) (*claims.Claims, error) {
	caller, err := a.Authenticator.Authenticate(ctx, c)
	if err == nil && tierOf(caller) != "gold" {
		return nil, claims.ErrInvalidToken
	}
	return caller, err
}

// guardWithTier is a guard that has the mistake somewhere.
type guardWithTier struct {
	verifier claims.Config
	auth     func(claims.Authenticator) claims.Authenticator
	needs    claims.Requirement
	guard    grpcmw.Config
	serves   bool // what is only told must not decide
}

var guardsWithTier = map[string]guardWithTier{
	"Config.Check": {verifier: claims.Config{
		Check: func(_ context.Context, caller *claims.Claims) error { return fmt.Errorf("tier %s", tierOf(caller)) },
	}},
	"TrustTenant": {verifier: claims.Config{
		Issuer:      "https://login.example/{tenant}/v2.0",
		TrustTenant: func(string) bool { return tierOf(nil) == "gold" },
	}},
	"Keys":          {verifier: claims.Config{Keys: tierKeys{}}},
	"Authenticator": {auth: func(auth claims.Authenticator) claims.Authenticator { return tierAuth{auth} }},
	"Func": {needs: claims.Func("tier", func(_ context.Context, caller *claims.Claims) (bool, error) {
		return tierOf(caller) == "gold", nil
	})},
	"RequestFunc": {needs: claims.RequestFunc("tier", func(_ context.Context, caller *claims.Claims, _ valued) (bool, error) {
		return tierOf(caller) == "gold", nil
	})},
	"InWorkspaceOf": {
		needs: claims.InWorkspaceOf("tier", func(valued) string { return tierOf(nil) }, claims.Permissions("p")),
		guard: grpcmw.Config{Permissions: grants},
	},
	"Observer": {
		guard:  grpcmw.Config{Observer: func(context.Context, claims.Decision) { tierOf(nil) }},
		serves: true,
	},
	"KeyCache.Observer": {
		verifier: claims.Config{KeyCache: jwks.Config{
			Observer: func(context.Context, jwks.Event) { tierOf(nil) },
		}},
		serves: true,
	},
}

// serve starts a server that the guard stands in front of, and returns its
// address and a token.
func (g guardWithTier) serve(t *testing.T) (address, token string) {
	issuer := claimstest.Start(t, claimstest.Config{})
	cfg := g.verifier
	if cfg.Issuer == "" {
		cfg.Issuer = issuer.URL()
	} else {
		own, err := claimstest.New(claimstest.Config{URL: strings.Replace(cfg.Issuer, "{tenant}", "own", 1)})
		require.NoError(t, err)
		issuer = own
		cfg.Keys, err = jwks.Parse(issuer.KeySet())
		require.NoError(t, err)
	}
	cfg.Audiences = []string{claimstest.Audience}
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	auth := claims.Authenticator(verifier)
	if g.auth != nil {
		auth = g.auth(auth)
	}
	needs := claims.All(claims.Authenticated(), g.needs)
	if g.needs.IsPublic() {
		needs = claims.Authenticated()
	}
	g.guard.Policy = grpcmw.Policy{"/tier.Service/Unary": needs, "/tier.Service/Bidi": needs}
	guard, err := grpcmw.New(auth, g.guard)
	require.NoError(t, err)
	server := grpc.NewServer(guard.ServerOptions()...)
	server.RegisterService(kindsOf("tier.Service", &seen{}, nil), nil)
	address, _ = native(t, server)
	return address, issuer.Mint(claimstest.Token{Subject: "alice", Claims: map[string]any{"tier": 1}})
}

const tierVariable = "GRPCMW_TEST_TIER_PROCESS"

// TestProcess_panicking is the server process of TestProcess_survivesPanics.
func TestProcess_panicking(t *testing.T) {
	if os.Getenv(tierVariable) == "" {
		t.Skip("it is started by another test")
	}
	for _, name := range slices.Sorted(maps.Keys(guardsWithTier)) {
		address, token := guardsWithTier[name].serve(t)
		fmt.Println("serving", name, address, token)
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until the other has enough
}

// A mistake in code that the guard is given, and a token that finds it, end no
// process: over gRPC nothing else would recover it. And nobody fills the log.
func TestProcess_survivesPanics(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	process := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProcess_panicking$")
	process.Env = append(os.Environ(), tierVariable+"=1")
	process.Stderr = &logged
	stdin, err := process.StdinPipe()
	require.NoError(t, err)
	stdout, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	const calls = 20
	lines := bufio.NewScanner(stdout)
	for range guardsWithTier {
		require.True(t, lines.Scan(), "the process has ended")
		var name, address, token string
		_, err := fmt.Sscanf(lines.Text(), "serving %s %s %s", &name, &address, &token)
		require.NoError(t, err, lines.Text())
		conn := dial(t, address)
		ctx := withAuthorization(t.Context(), []string{"Bearer " + token})
		for range calls {
			for _, method := range []string{"Unary", "Bidi"} {
				got := invoke(ctx, conn, "tier.Service", method, "x")
				if guardsWithTier[name].serves {
					assert.Equal(t, []string{"x"}, got.messages, "%s, %s: %v", name, method, got.err)
					continue
				}
				assert.Equal(t, codes.Unavailable, status.Code(got.err), "%s, %s: %v", name, method, got.err)
				assert.NotContains(t, fmt.Sprint(got.err), "interface conversion")
			}
		}
	}
	require.NoError(t, stdin.Close())
	_, _ = io.Copy(io.Discard, stdout)
	require.NoError(t, process.Wait(), "%s", logged.String())
	panics := strings.Count(logged.String(), "Observer panicked")
	assert.Positive(t, panics, logged.String())
	assert.Less(t, panics, calls/2, logged.String())
}
