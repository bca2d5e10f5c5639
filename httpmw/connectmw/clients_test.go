package connectmw_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw/connectmw"
)

// withClients is set by make test-clients, once the packages of
// testdata/clients are installed.
const withClients = "SALLYPORT_CLIENTS"

// jsAnswer is what a client of JavaScript read, as refusals.mjs prints it.
type jsAnswer struct {
	Server, Client, Kind, Case         string
	Code, Message, Challenge, Pushback string
	Reason, Domain                     string
	Metadata                           map[string]string
	Retry                              bool
}

// Clients of other languages read the code, the text, the reason and the
// challenge of each refusal, over each protocol they speak.
func TestClients(t *testing.T) {
	t.Parallel()
	if os.Getenv(withClients) == "" {
		t.Skip("make test-clients runs it, with Node.js")
	}
	issuer, verifier := newIssuer(t)
	type target struct {
		Server  string `json:"server"`
		Target  string `json:"target"`
		Connect bool   `json:"connect"`
	}
	var targets []target
	for suffix, auth := range map[string]claims.Authenticator{"": verifier, ", outage": outage{}} {
		targets = append(targets,
			target{"grpcmw" + suffix, startGRPC(t, auth), false},
			target{"connectmw" + suffix, startH2C(t, auth, false), true},
			target{"connectmw, wrapped" + suffix, startH2C(t, auth, true), true})
	}
	servers, err := json.Marshal(targets)
	require.NoError(t, err)
	tokens, err := json.Marshal(map[string]string{
		"no token": "", "bad token": "junk",
		"lacking": issuer.Mint(claimstest.Token{Scope: "b"}), "good": issuer.Mint(claimstest.Token{Scope: "a"}),
	})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "refusals.mjs", string(servers), string(tokens))
	cmd.Dir, cmd.Stderr = "testdata/clients", os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err, string(out))
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	// With each Authenticator grpcmw meets 2 clients, and connectmw 4, twice;
	// each makes 2 kinds of call in 4 cases.
	require.Len(t, lines, 2*(2+4+4)*2*4)
	for _, line := range lines {
		var got jsAnswer
		require.NoError(t, json.Unmarshal([]byte(line), &got), line)
		want := refusalOf(got.Case)
		if strings.HasSuffix(got.Server, ", outage") && got.Case != "no token" {
			want = expected{"unavailable", "KEYS_UNAVAILABLE", ""}
			assert.True(t, got.Retry, line)
			assert.NotEmpty(t, got.Pushback, line)
		}
		if want.reason == "MALFORMED" && strings.HasSuffix(got.Server, ", outage") {
			continue
		}
		assert.Equal(t, want.code, got.Code, line)
		assert.Equal(t, want.reason, got.Reason, line)
		if want.reason == "" {
			continue
		}
		assert.NotEmpty(t, got.Message, line)
		assert.Equal(t, "sallyport", got.Domain, line)
		assert.True(t, strings.HasPrefix(got.Challenge, want.challenge), line)
		assert.Equal(t, want.challenge == "", got.Challenge == "", line)
		assert.Equal(t, got.Challenge, got.Metadata["www-authenticate"], line)
	}
}

type expected struct{ code, reason, challenge string }

func refusalOf(name string) expected {
	return map[string]expected{
		"no token":  {"unauthenticated", "NO_TOKEN", `Bearer realm="api", scope="a"`},
		"bad token": {"unauthenticated", "MALFORMED", `Bearer realm="api", error="invalid_token"`},
		"lacking":   {"permission_denied", "SCOPE", `Bearer realm="api", error="insufficient_scope"`},
		"good":      {"ok", "", ""},
	}[name]
}

func startH2C(t *testing.T, auth claims.Authenticator, wrapped bool) (target string) {
	t.Helper()
	i := guard(t, auth, connectmw.Config{Policy: everything(claims.Scopes("a"))})
	handler := (&service{}).handler(connect.WithInterceptors(i))
	if wrapped {
		handler = i.Wrap(handler)
	}
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// rpc is the service for grpc-go.
type rpc struct {
	testpb.UnimplementedTestServiceServer
}

func (rpc) UnaryCall(context.Context, *testpb.SimpleRequest) (*testpb.SimpleResponse, error) {
	return &testpb.SimpleResponse{}, nil
}

func (rpc) StreamingOutputCall(
	_ *testpb.StreamingOutputCallRequest, stream grpc.ServerStreamingServer[testpb.StreamingOutputCallResponse],
) error {
	return stream.Send(&testpb.StreamingOutputCallResponse{})
}

func startGRPC(t *testing.T, auth claims.Authenticator) (target string) {
	t.Helper()
	i, err := grpcmw.New(auth, grpcmw.Config{Policy: grpcmw.Policy(everything(claims.Scopes("a")))})
	require.NoError(t, err)
	server := grpc.NewServer(i.ServerOptions()...)
	testpb.RegisterTestServiceServer(server, rpc{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String()
}
