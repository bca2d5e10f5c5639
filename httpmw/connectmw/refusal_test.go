package connectmw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw/connectmw"
)

// outage is an Authenticator that cannot decide, and says until when.
type outage struct{}

const secret = "internal.example:5432 is down"

func (outage) Authenticate(context.Context, claims.Credentials) (*claims.Claims, error) {
	return nil, claims.NewError(claims.ErrUnavailable, claims.ReasonKeysUnavailable, errors.New(secret))
}

// Every refusal, of every kind of call, in each of the protocols, whether it is
// decided before the body is read or after.
func TestInterceptor_refusals(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	needs := claims.Scopes("orders:read")
	token := func(scope string, claims map[string]any) string {
		return "Bearer " + issuer.Mint(claimstest.Token{Subject: "alice", Scope: scope, Claims: claims})
	}
	const bare = `Bearer realm="api", resource_metadata="https://api.example/.well-known/oauth-protected-resource"`
	never := claims.Func("never", func(context.Context, *claims.Claims) (bool, error) { return false, nil })
	strict := claims.All(needs, claims.ACR("gold"), claims.MaxAge(5*time.Minute))
	for name, row := range map[string]struct {
		auth          claims.Authenticator
		policy        connectmw.Policy
		authorization []string
		code          connect.Code
		reason        string
		challenge     string // the beginning; empty for none
		more          map[string]string
	}{
		"no token":  {verifier, everything(needs), nil, connect.CodeUnauthenticated, "NO_TOKEN", bare + `, scope="orders:read"`, map[string]string{"scope": "orders:read"}},
		"malformed": {verifier, everything(needs), []string{"Bearer a", "Bearer b"}, connect.CodeUnauthenticated, "SEVERAL_CREDENTIALS", bare + `, error="invalid_request"`, nil},
		"bad token": {verifier, everything(needs), []string{"Bearer junk"}, connect.CodeUnauthenticated, "MALFORMED", bare + `, error="invalid_token"`, map[string]string{"scope": "orders:read"}},
		"lacking":   {verifier, everything(needs), []string{token("a", nil)}, connect.CodePermissionDenied, "SCOPE", bare + `, error="insufficient_scope"`, map[string]string{"scope": "orders:read"}},
		"too weak": {
			verifier, everything(strict), []string{token("orders:read", nil)}, connect.CodeUnauthenticated, "AUTHENTICATION",
			bare + `, error="insufficient_user_authentication"`,
			map[string]string{"scope": "orders:read", "acr_values": "gold", "max_age": "300"},
		},
		"forbidden":     {verifier, everything(never), []string{token("orders:read", nil)}, connect.CodePermissionDenied, "PERMISSION", "", nil},
		"unlisted":      {verifier, connectmw.Policy{"/a.B/C": needs}, []string{token("orders:read", nil)}, connect.CodePermissionDenied, "UNLISTED_OPERATION", "", nil},
		"cannot decide": {outage{}, everything(needs), []string{token("orders:read", nil)}, connect.CodeUnavailable, "KEYS_UNAVAILABLE", "", nil},
	} {
		for _, early := range []bool{false, true} {
			auth := guard(t, row.auth, connectmw.Config{
				Policy: row.policy, Resource: "https://api.example", Domain: "orders.example",
			})
			spy := &service{}
			handler := spy.handler(connect.WithInterceptors(auth))
			if early {
				handler = auth.Wrap(handler)
			}
			server := start(t, handler)
			for protocol, options := range protocols {
				for _, procedure := range procedures {
					what := fmt.Sprintf("%s, %s, early %t, %s", name, protocol, early, procedure)
					got := ask(t, server, procedure, options, row.authorization...)
					require.NotNil(t, got.err, what)
					assert.Equal(t, row.code, got.err.Code(), what)
					class := map[connect.Code]error{
						connect.CodeUnauthenticated: claims.ErrInvalidToken, connect.CodePermissionDenied: claims.ErrForbidden,
						connect.CodeUnavailable: claims.ErrUnavailable,
					}
					assert.Equal(t, claims.NewError(class[row.code], claims.Reason(strings.ToLower(row.reason)), nil).Text(), got.err.Message(), what)
					info, retry := details(t, got.err)
					assert.Equal(t, row.reason, info.GetReason(), what)
					assert.Equal(t, "orders.example", info.GetDomain(), what)
					assert.Equal(t, row.code == connect.CodeUnavailable, retry != nil, what)
					challenge := got.header.Values("WWW-Authenticate")
					for key, value := range row.more {
						assert.Equal(t, value, info.GetMetadata()[key], what)
					}
					if row.challenge == "" {
						assert.Empty(t, challenge, what)
						assert.NotContains(t, info.GetMetadata(), "www-authenticate", what)
						continue
					}
					require.Len(t, challenge, 1, what)
					assert.Truef(t, strings.HasPrefix(challenge[0], row.challenge), "%s: %s", what, challenge[0])
					assert.Equal(t, challenge[0], info.GetMetadata()["www-authenticate"], what)
				}
			}
			assert.Zero(t, spy.reached.Load(), name)
		}
	}
}

// What stands on the wire, for a client that is none of connect's.
func TestInterceptor_wire(t *testing.T) {
	t.Parallel()
	_, verifier := newIssuer(t)
	for name, row := range map[string]struct {
		auth                  claims.Authenticator
		method, kind, target  string
		status                int
		header, trailer, body map[string]string
	}{
		"Connect": {
			verifier, "POST", "application/json", unary, 401,
			map[string]string{"Www-Authenticate": `Bearer realm="api", scope="a"`, "Cache-Control": "no-store", "Content-Type": "application/json"}, nil,
			map[string]string{`"code":"unauthenticated"`: ""},
		},
		"Connect, GET": {
			verifier, "GET", "", unary + "?connect=v1&encoding=json&message=%7B%7D", 401,
			map[string]string{"Www-Authenticate": `Bearer realm="api", scope="a"`, "Cache-Control": "no-store"}, nil, nil,
		},
		"Connect, cannot decide": {
			outage{}, "POST", "application/json", unary, 503, map[string]string{"Retry-After": "1"}, nil,
			map[string]string{`"code":"unavailable"`: ""},
		},
		"Connect stream": {
			verifier, "POST", "application/connect+json", output, 200,
			map[string]string{"Www-Authenticate": `Bearer realm="api", scope="a"`}, nil,
			map[string]string{`{"error":{"code":"unauthenticated",`: ""},
		},
		"gRPC": {
			verifier, "POST", "application/grpc", unary, 200,
			map[string]string{"Www-Authenticate": `Bearer realm="api", scope="a"`},
			map[string]string{"Grpc-Status": "16", "Www-Authenticate": ""}, nil,
		},
		"gRPC, cannot decide": {
			outage{}, "POST", "application/grpc", unary, 200, nil,
			map[string]string{"Grpc-Status": "14", "Grpc-Retry-Pushback-Ms": "1000"}, nil,
		},
		"gRPC stream, cannot decide": {
			outage{}, "POST", "application/grpc", output, 200, nil,
			map[string]string{"Grpc-Status": "14", "Grpc-Retry-Pushback-Ms": "1000"}, nil,
		},
	} {
		for _, early := range []bool{false, true} {
			auth := guard(t, row.auth, connectmw.Config{Policy: everything(claims.Scopes("a"))})
			handler := (&service{}).handler(connect.WithInterceptors(auth))
			if early {
				handler = auth.Wrap(handler)
			}
			server := start(t, handler)
			body := "{}"
			if strings.Contains(row.kind, "grpc") {
				body = "\x00\x00\x00\x00\x00"
			} else if strings.Contains(row.kind, "+") {
				body = "\x00\x00\x00\x00\x02{}"
			} else if row.method == "GET" {
				body = ""
			}
			r, err := http.NewRequestWithContext(t.Context(), row.method, server.URL+row.target, strings.NewReader(body))
			require.NoError(t, err)
			if row.kind != "" {
				r.Header.Set("Content-Type", row.kind)
			}
			if row.auth == (outage{}) {
				r.Header.Set("Authorization", "Bearer x")
			}
			resp, err := server.Client().Do(r)
			require.NoError(t, err)
			text := readAll(t, resp)
			what := fmt.Sprintf("%s, early %t", name, early)
			assert.Equal(t, row.status, resp.StatusCode, what)
			for field, want := range row.header {
				assert.Equal(t, want, resp.Header.Get(field), what+" "+field)
			}
			for field, want := range row.trailer {
				assert.Equal(t, want, resp.Trailer.Get(field), what+" "+field)
			}
			for part := range row.body {
				assert.Contains(t, text, part, what)
			}
			for _, where := range []string{fmt.Sprint(resp.Header), fmt.Sprint(resp.Trailer), text} {
				assert.NotContains(t, where, secret, what)
			}
		}
	}
}

// What a handler refuses, as the error of Allowed or around it, is told alike.
func TestInterceptor_handlerRefuses(t *testing.T) {
	t.Parallel()
	issuer, verifier := newIssuer(t)
	auth := guard(t, verifier, connectmw.Config{Policy: everything(claims.Authenticated())})
	authorization := "Bearer " + issuer.Mint(claimstest.Token{Subject: "alice"})
	for name, row := range map[string]struct {
		refuse func(ctx context.Context) error
		code   connect.Code
		reason string
	}{
		"Allowed": {func(ctx context.Context) error { return claims.Allowed(ctx, claims.Scopes("b")) }, connect.CodePermissionDenied, "SCOPE"},
		"wrapped": {func(ctx context.Context) error {
			return connect.NewError(connect.CodeInternal, fmt.Errorf("%s: %w", secret, claims.Allowed(ctx, claims.Scopes("b"))))
		}, connect.CodePermissionDenied, "SCOPE"},
		"a nil pointer":   {func(context.Context) error { return (*claims.Error)(nil) }, connect.CodeUnavailable, "UNDECIDED"},
		"of another kind": {func(context.Context) error { return connect.NewError(connect.CodeNotFound, errors.New("none")) }, connect.CodeNotFound, ""},
	} {
		server := start(t, auth.Wrap((&service{refuse: row.refuse}).handler(connect.WithInterceptors(auth))))
		for protocol, options := range protocols {
			for _, procedure := range procedures {
				got := ask(t, server, procedure, options, authorization)
				require.NotNil(t, got.err, name)
				assert.Equal(t, row.code, got.err.Code(), name+protocol+procedure)
				info, _ := details(t, got.err)
				assert.Equal(t, row.reason, info.GetReason(), name+protocol+procedure)
				assert.NotContains(t, got.err.Message(), secret)
				if row.reason == "SCOPE" {
					assert.Contains(t, got.header.Get("WWW-Authenticate"), `scope="b"`, name+protocol+procedure)
				}
			}
		}
	}
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}
