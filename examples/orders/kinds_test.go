package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	main "github.com/sallyport-go/sallyport/examples/orders"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

// mint has the program mint a token.
func mint(t *testing.T, file, text string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := main.Run(t.Context(), []string{"-static-tokens", file, "-mint-token", text}, &stdout, &stderr)
	require.Zero(t, code, stderr.String())
	token := strings.TrimSuffix(stdout.String(), "\n")
	require.Regexp(t, `\Asallyport_[0-9A-Za-z]{39}\z`, token)
	return token
}

// endpoint is an introspection endpoint.
type endpoint struct {
	mu      sync.Mutex
	answers map[string]map[string]any // by token
}

func (e *endpoint) set(token string, answer map[string]any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.answers == nil {
		e.answers = map[string]map[string]any{}
	}
	e.answers[token] = answer
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if id, secret, _ := r.BasicAuth(); id != "orders" || secret != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	e.mu.Lock()
	answer := e.answers[r.FormValue("token")]
	e.mu.Unlock()
	if answer == nil {
		answer = map[string]any{"active": false}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// Each kind of token opens what it may, on each way, and a bad one of its kind
// nothing.
func TestKinds(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	all := "orders:read,orders:write,orders:delete"
	e := &endpoint{}
	server := httptest.NewServer(e)
	defer server.Close()
	issuer := startIssuer(t)
	static := mint(t, file, "subject=ci client=nightly expires=24h scope="+all)
	reader := mint(t, file, "subject=reader scope=orders:read network=127.0.0.0/8")
	elsewhere := mint(t, file, "subject=reader scope="+all+" network=192.0.2.0/24")
	d := start(t, "-issuer", issuer.URL(), "-static-tokens", file,
		"-introspect", server.URL, "-introspect-client", "orders:secret")
	scope := strings.ReplaceAll(all, ",", " ")
	e.set("opaque", map[string]any{"active": true, "sub": "alice", "client_id": "shop", "scope": scope})
	e.set("opaque-reader", map[string]any{"active": true, "sub": "bob", "aud": audience, "iss": issuer.URL(), "scope": "orders:read"})
	e.set("opaque-elsewhere", map[string]any{"active": true, "aud": "https://other.example", "scope": scope})
	e.set("opaque-refresh", map[string]any{"active": true, "token_use": "refresh_token", "scope": scope})

	for _, tt := range []struct {
		name, token   string
		read, write   int
		reads, writes codes.Code
		subject       string
		endless       bool
	}{
		{name: "JWT", token: issuer.Mint(claimstest.Token{Subject: "jwt", Scope: scope}), read: 200, write: 201, subject: "jwt"},
		{name: "static", token: static, read: 200, write: 201, subject: "ci"},
		{name: "static, to read", token: reader, read: 200, write: 403, writes: codes.PermissionDenied, subject: "reader", endless: true},
		{name: "static, of another network", token: elsewhere, read: 401, write: 401, reads: codes.Unauthenticated, writes: codes.Unauthenticated},
		{name: "static, mistyped", token: static[:len(static)-1] + "-", read: 401, write: 401, reads: codes.Unauthenticated, writes: codes.Unauthenticated},
		{name: "opaque", token: "opaque", read: 200, write: 201, subject: "alice", endless: true},
		{name: "opaque, to read", token: "opaque-reader", read: 200, write: 403, writes: codes.PermissionDenied, subject: "bob", endless: true},
		{name: "opaque, not active", token: "made-up", read: 401, write: 401, reads: codes.Unauthenticated, writes: codes.Unauthenticated},
		{name: "opaque, for another API", token: "opaque-elsewhere", read: 401, write: 401, reads: codes.Unauthenticated, writes: codes.Unauthenticated},
		{name: "opaque, to refresh", token: "opaque-refresh", read: 401, write: 401, reads: codes.Unauthenticated, writes: codes.Unauthenticated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// Clients as everybody has them.
			client := oauth2.NewClient(t.Context(), oauth2.StaticTokenSource(&oauth2.Token{AccessToken: tt.token}))
			assert.Equal(t, tt.read, demotest.Send(t, client, d.request(t, "GET", "/orders", "", "")).Status)
			assert.Equal(t, tt.write, demotest.Send(t, client, d.request(t, "POST", "/orders", "", tea)).Status)
			me := demotest.Send(t, client, d.request(t, "GET", "/me", "", ""))
			if tt.subject == "" {
				assert.Equal(t, 401, me.Status)
				assert.NotContains(t, me.Body, tt.token)
			} else {
				said := me.Decode(t)
				assert.Equal(t, tt.subject, said["subject"])
				_, ends := said["expires_at"]
				assert.Equal(t, !tt.endless, ends, "%v", said["expires_at"])
			}
			for _, method := range methods {
				want := tt.reads
				switch method.scope {
				case "orders:write":
					want = tt.writes
				case "orders:delete":
					continue
				}
				_, err := method.call(withToken(t, tt.token), d.orders(t))
				assert.Equal(t, want, codeOf(err), "%s: %v", method.name, err)
			}
		})
	}
	assert.Equal(t, 200, d.call(t, "GET", "/readyz", "", "").Status)
	got := d.call(t, "GET", "/.well-known/oauth-protected-resource", "", "")
	assert.Contains(t, got.Body, issuer.URL())
}

// A token that is taken away ends what is open, and new calls.
func TestKinds_takenAway(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	d := start(t, "-static-tokens", file)
	assert.Equal(t, 503, d.call(t, "GET", "/readyz", "", "").Status, "there is no file yet")
	token := mint(t, file, "subject=ci scope=orders:read,orders:write")
	require.Equal(t, 200, d.call(t, "GET", "/orders", token, "").Status)
	require.Equal(t, 200, d.call(t, "GET", "/readyz", "", "").Status)
	stream, err := d.orders(t).WatchOrders(withToken(t, token), &orderspb.WatchOrdersRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.NoError(t, err)

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	require.NoError(t, os.WriteFile(file+".new", []byte(first+"\n"), 0o600))
	require.NoError(t, os.Rename(file+".new", file))
	taken := time.Now()
	for err == nil {
		_, err = stream.Recv()
	}
	assert.Equal(t, codes.Unauthenticated, codeOf(err), "%v", err)
	assert.Less(t, time.Since(taken), 45*time.Second)
	got := d.call(t, "GET", "/orders", token, "")
	assert.Equal(t, 401, got.Status)
}

// An endpoint that is down undecides opaque tokens alone.
func TestKinds_outage(t *testing.T) {
	t.Parallel()
	issuer := startIssuer(t)
	d := start(t, "-issuer", issuer.URL(), "-introspect", "http://127.0.0.1:1/introspect", "-introspect-client", "orders:secret")
	assert.Equal(t, 503, d.call(t, "GET", "/orders", "opaque", "").Status)
	_, err := methods[0].call(withToken(t, "opaque"), d.orders(t))
	assert.Equal(t, codes.Unavailable, codeOf(err))
	assert.Equal(t, 200, d.call(t, "GET", "/orders", issuer.Mint(claimstest.Token{Scope: "orders:read"}), "").Status)
}

func TestKinds_flags(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken")
	require.NoError(t, os.WriteFile(broken, []byte("what\n"), 0o600))
	for _, tt := range []struct {
		args []string
		want string
		code int
	}{
		{args: []string{"-mint-token", "subject=x"}, want: "-mint-token needs -static-tokens", code: 2},
		{args: []string{"-introspect", "https://a.example/i"}, want: "-introspect needs -introspect-client, as ID:SECRET", code: 2},
		{args: []string{"-introspect", "https://a.example/i", "-introspect-client", "id"}, want: "-introspect needs -introspect-client, as ID:SECRET", code: 2},
		{args: []string{"-introspect-client", "id:secret"}, want: "-introspect-client needs -introspect", code: 2},
		{
			args: []string{"-introspect", "http://a.example/i", "-introspect-client", "id:secret"}, code: 2,
			want: `-introspect "http://a.example/i": introspection: New: Config.Endpoint of "http://a.example/i" must be https…`,
		},
		{
			args: []string{"-static-tokens", "x", "-mint-token", "client=c client=d expires=-1h scope network=10.0.0.1 what=x"}, code: 2,
			want: `-mint-token "client=c…": "client" is there twice; expires=-1h must be a time such as 24h; "scope" must be NAME=VALUE; ` +
				`network=10.0.0.1 must be one such as 10.0.0.0/8; "what" is none of subject, client, scope, permission, expires, network and note; ` +
				`subject is required`,
		},
		{args: []string{"-static-tokens", broken, "-mint-token", "subject=x"}, want: "statictoken: " + broken + ": line 1: the first line must be…", code: 1},
		{args: []string{"-static-tokens", broken, "-mint-token", `subject=x scope=a"b`}, want: `statictoken: Mint: Scopes: "a\"b" is not a scope…`, code: 1},
	} {
		t.Run(fmt.Sprint(tt.args), func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			assert.Equal(t, tt.code, main.Run(t.Context(), tt.args, &stdout, &stderr))
			demotest.AssertOutput(t, "orders: "+tt.want+"\n", stderr.String())
			assert.Empty(t, stdout.String())
		})
	}
}

// codeOf is the code of a call that ended; io.EOF is the end of one that was
// let through.
func codeOf(err error) codes.Code {
	if errors.Is(err, io.EOF) {
		return codes.OK
	}
	return status.Code(err)
}
