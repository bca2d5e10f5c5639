package connectmw_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw/connectmw"
)

// record is an Observer.
type record struct {
	mu   sync.Mutex
	list []claims.Decision // guarded by mu
}

func (r *record) observe(_ context.Context, d claims.Decision) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, d)
}

func (r *record) take() []claims.Decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.list
	r.list = nil
	return list
}

func TestInterceptor_admits(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	token := "Bearer " + issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
	for _, early := range []bool{false, true} {
		var seen record
		auth := guard(t, verifier, connectmw.Config{
			Policy: everything(claims.Scopes("orders:read")), Observer: seen.observe,
		})
		handler := (&service{}).handler(connect.WithInterceptors(auth))
		if early {
			handler = auth.Wrap(handler)
		}
		server := start(t, handler)
		for protocol, options := range protocols {
			for _, procedure := range procedures {
				what := fmt.Sprintf("%s, early %t, %s", protocol, early, procedure)
				got := ask(t, server, procedure, options, token)
				require.Nil(t, got.err, what)
				assert.Equal(t, "alice", got.subject, what)
				decisions := seen.take()
				require.Len(t, decisions, 1, what)
				assert.Nil(t, decisions[0].Err, what)
				assert.Equal(t, []string{"Connect", procedure}, []string{decisions[0].Protocol, decisions[0].Operation}, what)
			}
		}
	}
}

// What is public finds nobody, whatever the token, and tells no observer.
func TestInterceptor_public(t *testing.T) {
	t.Parallel()
	_, verifier := newIssuer(t)
	var seen record
	auth := guard(t, verifier, connectmw.Config{Policy: everything(claims.Public()), Observer: seen.observe})
	server := start(t, auth.Wrap((&service{}).handler(connect.WithInterceptors(auth))))
	for _, procedure := range []string{unary, output, duplex} {
		got := ask(t, server, procedure, nil, "Bearer junk")
		require.Nil(t, got.err, procedure)
		assert.Equal(t, "nobody", got.subject, procedure)
	}
	assert.Empty(t, seen.take())
}

// A requirement that looks at the message gets it, in each kind of call.
func TestInterceptor_requestFunc(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	token := "Bearer " + issuer.Mint(claimstest.Token{Subject: "alice"})
	for want, mine := range map[bool]string{true: "alice", false: "bob"} {
		policy := connectmw.Policy{}
		for procedure := range everything(claims.Authenticated()) {
			policy[procedure] = owns(procedure, mine)
		}
		for _, early := range []bool{false, true} {
			var seen record
			auth := guard(t, verifier, connectmw.Config{Policy: policy, Observer: seen.observe})
			spy := &service{}
			handler := spy.handler(connect.WithInterceptors(auth))
			if early {
				handler = auth.Wrap(handler)
			}
			server := start(t, handler)
			for protocol, options := range protocols {
				for _, procedure := range procedures {
					what := fmt.Sprintf("%s, early %t, %s, %s", protocol, early, procedure, mine)
					got := ask(t, server, procedure, options, token)
					assert.Equal(t, want, got.err == nil, what)
					decisions := seen.take()
					require.Len(t, decisions, 1, what)
					assert.Equal(t, want, decisions[0].Err == nil, what)
				}
			}
			assert.Equal(t, want, spy.reached.Load() > 0)
		}
	}
}

// owns needs the caller to be of that name, by a function that sees a message.
func owns(procedure, name string) claims.Requirement {
	decide := func(caller *claims.Claims, found bool) (bool, error) { return found && caller.Subject() == name, nil }
	switch procedure {
	case unary:
		return claims.RequestFunc("own", func(_ context.Context, c *claims.Claims, m *testpb.SimpleRequest) (bool, error) {
			return decide(c, m != nil)
		})
	case input:
		return claims.RequestFunc("own", func(_ context.Context, c *claims.Claims, m *testpb.StreamingInputCallRequest) (bool, error) {
			return decide(c, m != nil)
		})
	}
	return claims.RequestFunc("own", func(_ context.Context, c *claims.Claims, m *testpb.StreamingOutputCallRequest) (bool, error) {
		return decide(c, m != nil)
	})
}

// unread is a body that must not be.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	assert.Fail(u.t, "the body was read")
	return 0, io.EOF
}
func (unread) Close() error { return nil }

// Wrapped, who has no token has nothing of their message read.
func TestInterceptor_Wrap_body(t *testing.T) {
	t.Parallel()
	_, verifier := newIssuer(t)
	auth := guard(t, verifier, connectmw.Config{Policy: everything(claims.Authenticated())})
	guarded := auth.Wrap((&service{}).handler(connect.WithInterceptors(auth)))
	server := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = unread{t}
		guarded.ServeHTTP(w, r)
	}))
	for protocol, options := range protocols {
		got := ask(t, server, unary, options)
		require.NotNil(t, got.err, protocol)
		assert.Equal(t, connect.CodeUnauthenticated, got.err.Code(), protocol)
	}
}

// Handlers that were wrapped and given no interceptor are guarded all the same,
// and so is whatever else stands behind.
func TestInterceptor_Wrap_alone(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	var seen record
	auth := guard(t, verifier, connectmw.Config{Policy: connectmw.Policy{unary: claims.Scopes("a")}, Observer: seen.observe})
	spy := &service{}
	server := start(t, auth.Wrap(spy.handler()))
	token := "Bearer " + issuer.Mint(claimstest.Token{Subject: "alice", Scope: "a"})
	assert.Equal(t, connect.CodeUnauthenticated, ask(t, server, unary, nil).err.Code())
	assert.Equal(t, connect.CodePermissionDenied, ask(t, server, output, nil, token).err.Code())
	assert.Zero(t, spy.reached.Load())
	assert.Equal(t, "alice", ask(t, server, unary, nil, token).subject)
	seen.take()
	for _, row := range []struct{ method, kind, path string }{
		{"GET", "", "/healthz"}, {"POST", "application/json", "/healthz"}, {"PUT", "text/plain", "/x"},
		{"OPTIONS", "", "/x"}, {"POST", "", ""}, {"POST", "application/proto", "//"}, {"POST", "application/proto", unary + "/"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), row.method, server.URL+row.path, nil)
		require.NoError(t, err)
		r.Header.Set("Content-Type", row.kind)
		r.Header.Set("Authorization", token)
		resp, err := server.Client().Do(r)
		require.NoError(t, err)
		assert.Equal(t, http.StatusForbidden, resp.StatusCode, row)
		assert.Contains(t, readAll(t, resp), "permission_denied", row)
		assert.Equal(t, "unknown", seen.take()[0].Operation, row)
	}
}

// What Wrap has decided is for one call of that procedure, by that Interceptor.
func TestInterceptor_Wrap_once(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	outside := guard(t, verifier, connectmw.Config{Policy: everything(claims.Authenticated())})
	inside := guard(t, verifier, connectmw.Config{Policy: everything(claims.Scopes("a"))})
	token := "Bearer " + issuer.Mint(claimstest.Token{Subject: "alice"})

	server := start(t, outside.Wrap((&service{}).handler(connect.WithInterceptors(inside))))
	assert.Equal(t, connect.CodePermissionDenied, ask(t, server, unary, nil, token).err.Code())

	spy := &service{}
	handler := spy.handler(connect.WithInterceptors(outside))
	twice := outside.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		r.Header.Del("Authorization") // the second is decided by what it has
		handler.ServeHTTP(discard{http.Header{}}, r)
	}))
	assert.Equal(t, "alice", ask(t, start(t, twice), unary, nil, token).subject)
	assert.EqualValues(t, 1, spy.reached.Load())
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// A call whose message never comes is recorded as undecided, not as let in.
func TestInterceptor_Wrap_noMessage(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	var seen record
	auth := guard(t, verifier, connectmw.Config{
		Policy: connectmw.Policy{unary: owns(unary, "alice")}, Observer: seen.observe,
	})
	spy := &service{}
	server := start(t, auth.Wrap(spy.handler(connect.WithInterceptors(auth))))
	r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+unary, strings.NewReader("{"))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{Subject: "alice"}))
	resp, err := server.Client().Do(r)
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	_ = readAll(t, resp)
	decisions := seen.take()
	require.Len(t, decisions, 1)
	assert.ErrorIs(t, decisions[0].Err, claims.ErrUnavailable)
	assert.Zero(t, spy.reached.Load())
}

func TestNew_reportsEverything(t *testing.T) {
	t.Parallel()
	_, err := connectmw.New(nil, connectmw.Config{
		Policy: connectmw.Policy{
			"orders.v1.Orders/GetOrder": claims.Authenticated(), "/a/*": claims.Authenticated(), "": claims.Public(),
			unary:  owns(output, "alice"),
			output: claims.Scopes(),
		},
		Realm: "\n", Resource: "http://api.example",
	})
	require.Error(t, err)
	for _, want := range []string{
		`connectmw: Config.Policy: "orders.v1.Orders/GetOrder" is not a procedure, "/package.Service/Method"`,
		`"/a/*" is not a procedure`, `"" is not a procedure`,
		"connectmw: Config.Policy: " + unary + `: claims: RequestFunc("own")`,
		output + ": claims: Scopes needs at least one scope",
		"connectmw: New: auth is nil", `connectmw: New: Config.Realm of "\n"`,
		`connectmw: New: Config.Resource of "http://api.example" must be an https URL`,
	} {
		assert.ErrorContains(t, err, want)
	}
	_, verifier := newIssuer(t)
	_, err = connectmw.New(verifier, connectmw.Config{})
	assert.ErrorContains(t, err, "Config.Policy is empty")
	_, err = connectmw.New(verifier, connectmw.Config{Policy: connectmw.Policy{unary: claims.Permissions("x")}})
	assert.ErrorContains(t, err, "can never be met")
}

// What was not made serves nobody.
func TestInterceptor_zero(t *testing.T) {
	t.Parallel()
	for name, zero := range map[string]*connectmw.Interceptor{"zero": {}, "nil": nil} {
		spy := &service{}
		server := start(t, spy.handler(connect.WithInterceptors(zero)))
		for _, procedure := range procedures {
			got := ask(t, server, procedure, nil)
			require.NotNil(t, got.err, name)
			assert.Equal(t, connect.CodeUnavailable, got.err.Code(), name)
		}
		assert.Zero(t, spy.reached.Load(), name)
		assert.PanicsWithValue(t, "connectmw: Wrap: the Interceptor was not made by New", func() { zero.Wrap(spy.handler()) })
		assert.ErrorContains(t, zero.Audit(), "was not made by New")
	}
	_, verifier := newIssuer(t)
	auth := guard(t, verifier, connectmw.Config{Policy: everything(claims.Authenticated())})
	assert.PanicsWithValue(t, "connectmw: Wrap: the next handler is nil", func() { auth.Wrap(nil) })
	assert.PanicsWithValue(t, "connectmw: Wrap: the next handler is nil", func() { auth.Wrap(http.HandlerFunc(nil)) })
}

// As an interceptor of a client it does nothing.
func TestInterceptor_client(t *testing.T) {
	t.Parallel()
	_, verifier := newIssuer(t)
	auth := guard(t, verifier, connectmw.Config{Policy: connectmw.Policy{unary: claims.Scopes("a")}})
	server := start(t, (&service{}).handler())
	options := []connect.ClientOption{connect.WithInterceptors(auth)}
	for _, procedure := range []string{unary, output, duplex} {
		assert.Equal(t, "nobody", ask(t, server, procedure, options).subject, procedure)
	}
}

func TestInterceptor_Audit(t *testing.T) {
	t.Parallel()
	_, verifier := newIssuer(t)
	const service = "grpc.testing.TestService"
	policy := everything(claims.Authenticated())
	auth := guard(t, verifier, connectmw.Config{Policy: policy})
	err := auth.Audit(service)
	require.Error(t, err)
	assert.ErrorContains(t, err, "connectmw: procedure /grpc.testing.TestService/EmptyCall has no entry in the policy")
	assert.NotContains(t, err.Error(), unary)
	for _, method := range []string{"EmptyCall", "CacheableUnaryCall", "HalfDuplexCall", "UnimplementedCall"} {
		policy["/"+service+"/"+method] = claims.Public()
	}
	assert.NoError(t, guard(t, verifier, connectmw.Config{Policy: policy}).Audit(service, service))
	policy["/"+service+"/UnaryCal"] = claims.Public()
	err = guard(t, verifier, connectmw.Config{Policy: policy}).Audit(service, "a.B")
	assert.ErrorContains(t, err, "the policy lists /grpc.testing.TestService/UnaryCal, which is no procedure of the services")
	assert.ErrorContains(t, err, `the program has no service "a.B"`)
}

func TestPolicy_Operations(t *testing.T) {
	t.Parallel()
	table := claims.NewAccessTable(everything(claims.Scopes("a")).Operations())
	assert.Contains(t, table.Markdown(), "| Connect  | `"+unary+"`           | `Scopes(\"a\")` |")
	assert.Len(t, table, len(procedures))
}
