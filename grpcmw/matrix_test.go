package grpcmw_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// caller is one who asks for something, and what comes of it.
type caller struct {
	name          string
	authorization []string
	subject       string // of a token that is accepted
	value         string // of the request
	want          func(composition) outcome
}

func callers(issuer *claimstest.Issuer) []caller {
	bearer := func(subject, scope, acr string, age time.Duration, permissions ...string) []string {
		return []string{"Bearer " + issuer.Mint(claimstest.Token{
			Subject: subject, ClientID: "shop", Scope: scope, Claims: map[string]any{
				"acr": acr, "auth_time": time.Now().Add(-age).Unix(), "permissions": append([]string{}, permissions...),
			},
		})}
	}
	always := func(class error, reason claims.Reason) func(composition) outcome {
		return func(c composition) outcome {
			o := outcome{class: class, reason: reason}
			if class == claims.ErrNoToken || class == claims.ErrInvalidToken {
				o.scope = c.asks
			}
			return o
		}
	}
	expired := "Bearer " + issuer.Mint(claimstest.Token{Subject: "holding", Lifetime: -time.Hour})
	return []caller{
		{name: "none", value: "acme", want: always(claims.ErrNoToken, claims.ReasonNoToken)},
		{name: "malformed", authorization: []string{"Bearer a b"}, value: "acme", want: always(claims.ErrInvalidRequest, claims.ReasonMalformedCredentials)},
		{name: "bad", authorization: []string{expired}, value: "acme", want: always(claims.ErrInvalidToken, claims.ReasonExpired)},
		{
			name: "weak", authorization: bearer("weak", "read write", "low", time.Hour, "by-token"), subject: "weak", value: "acme",
			want: func(c composition) outcome { return outcomeOf(c.weak) },
		},
		{
			name: "lacking", authorization: bearer("lacking", "other", "gold", 0), subject: "lacking", value: "other",
			want: func(c composition) outcome { return outcomeOf(c.lacking) },
		},
		{
			name: "down", authorization: bearer("down", "read write", "gold", 0, "by-token"), subject: "down", value: "acme",
			want: func(c composition) outcome { return outcomeOf(c.down) },
		},
		{
			name: "holding", authorization: bearer("holding", "read write", "gold", 0, "by-token"), subject: "holding", value: "acme",
			want: func(c composition) outcome { return outcomeOf(c.holding) },
		},
	}
}

var grants = granter(func(who claims.Principal) (claims.Grants, error) {
	switch who.Subject {
	case "down":
		return claims.Grants{}, errSecret
	case "lacking":
		return claims.Grants{Workspaces: map[string][]string{"acme": {"in-acme"}}}, nil
	}
	return claims.Grants{Permissions: []string{"by-source"}, Workspaces: map[string][]string{"acme": {"in-acme"}}}, nil
})

func matrixVerifier(t *testing.T) (*claimstest.Issuer, *claims.Verifier) {
	t.Helper()
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, PermissionClaims: []string{"permissions"},
	})
	require.NoError(t, err)
	return issuer, verifier
}

// assertDecision checks that there is one decision about the operation, and what it says.
func assertDecision(t *testing.T, l *ledger, protocol, operation string, row composition, by caller, needs claims.Requirement, issuer string) {
	t.Helper()
	whole, parts := l.take(operation)
	assert.Empty(t, parts)
	if !assert.Len(t, whole, 1, "decisions about one operation") {
		return
	}
	d, want := whole[0], by.want(row)
	assert.Equal(t, protocol, d.Protocol)
	assert.True(t, needs.Equal(d.Requirement))
	assert.WithinDuration(t, time.Now(), d.Time, time.Minute)
	assert.Less(t, d.Duration, time.Minute)
	if want.class == nil {
		assert.Nil(t, d.Err)
	} else if assert.NotNil(t, d.Err) {
		assert.Equal(t, want.class, d.Err.Class())
		assert.Equal(t, want.reason, d.Err.Reason())
	}
	if by.subject == "" {
		issuer = ""
	}
	assert.Equal(t, by.subject, d.Subject)
	assert.Equal(t, issuer, d.Issuer)
	assert.Equal(t, by.subject != "", d.ClientID == "shop" && d.KeyID != "")
	if by.name == "holding" {
		assert.Equal(t, row.origin, d.Permissions, "where the permissions are from")
		if row.reported == nil {
			assert.Nil(t, d.Reported)
		} else if assert.NotNil(t, d.Reported, "what is only reported") {
			assert.Equal(t, row.reported, d.Reported.Class())
		}
	}
	for _, field := range by.authorization {
		assert.NotContains(t, fmt.Sprintf("%+v %#v", d, d), strings.TrimPrefix(field, "Bearer "))
	}
}

// Whatever an operation needs and whoever asks, each transport gives the same answer:
// its status, its challenge, and one decision; and no handler is let see a request
// that is refused.
func TestMatrix_HTTP(t *testing.T) {
	t.Parallel()
	issuer, verifier := matrixVerifier(t)
	decisions := &ledger{}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{Permissions: grants, Observer: decisions.observe}))
	rows, reached := compositions(), &seen{}
	for _, row := range rows {
		mux.HandleFunc("POST /"+row.name+"/{value}", row.needs(overHTTP), func(w http.ResponseWriter, _ *http.Request) {
			reached.count(1, 1)
			w.WriteHeader(http.StatusNoContent)
		})
	}
	needs := map[string]claims.Requirement{}
	for _, route := range mux.Operations() {
		needs[route.Name] = route.Requirement
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for _, row := range rows {
		for _, by := range callers(issuer) {
			t.Run(row.name+"/"+by.name, func(t *testing.T) {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/"+row.name+"/"+by.value, nil)
				require.NoError(t, err)
				r.Header["Authorization"] = by.authorization
				resp, err := server.Client().Do(r)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				want := by.want(row)
				status := map[error]int{
					nil: 204, claims.ErrNoToken: 401, claims.ErrInvalidRequest: 400, claims.ErrInvalidToken: 401,
					claims.ErrInsufficientAuthentication: 401, claims.ErrInsufficientScope: 403, claims.ErrForbidden: 403,
					claims.ErrUnavailable: 503,
				}[want.class]
				assert.Equal(t, status, resp.StatusCode)
				assert.Equal(t, want.challenge(), strings.Join(resp.Header.Values("WWW-Authenticate"), "|"))
				assert.Equal(t, status == 503, resp.Header.Get("Retry-After") == "1")
				assertNothingTold(t, string(body))
				messages, _ := reached.take()
				assert.Equal(t, status == 204, messages == 1)
				pattern := "POST /" + row.name + "/{value}"
				assertDecision(t, decisions, "HTTP", pattern, row, by, needs[pattern], issuer.URL())
			})
		}
	}
}

// assertNothingTold checks what a client must not learn.
func assertNothingTold(t *testing.T, text string) {
	t.Helper()
	for _, secret := range []string{"by-token", "by-source", "in-acme", "nobody-has", "secret-cause-text"} {
		assert.NotContains(t, text, secret)
	}
}

func TestMatrix_gRPC(t *testing.T) {
	t.Parallel()
	issuer, verifier := matrixVerifier(t)
	decisions, policy := &ledger{}, grpcmw.Policy{}
	spies := map[string]*seen{}
	var services []*grpc.ServiceDesc
	rows := compositions()
	for _, row := range rows {
		name := "matrix." + row.name
		spies[name] = &seen{}
		services = append(services, kindsOf(name, spies[name], nil))
		for _, method := range []string{"Unary", "ServerStream", "ClientStream", "Bidi"} {
			policy["/"+name+"/"+method] = row.needs(overGRPC)
		}
	}
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: policy, Permissions: grants, Observer: decisions.observe, Domain: "orders.example",
	})
	require.NoError(t, err)
	conn := serving(t, auth, services...)
	for _, row := range rows {
		for _, by := range callers(issuer) {
			for _, method := range []string{"Unary", "ServerStream", "ClientStream", "Bidi"} {
				t.Run(row.name+"/"+by.name+"/"+method, func(t *testing.T) {
					service := "matrix." + row.name
					operation := "/" + service + "/" + method
					got := invoke(withAuthorization(t.Context(), by.authorization), conn, service, method, by.value)
					want := by.want(row)
					messages, sent := spies[service].take()
					assert.Equal(t, want.challenge(), strings.Join(got.trailer.Get("www-authenticate"), "|"))
					assertDecision(t, decisions, "gRPC", operation, row, by, policy[operation], issuer.URL())
					if want.class == nil {
						assert.Equal(t, io.EOF, got.err)
						assert.Equal(t, []string{by.value}, got.messages)
						assert.Equal(t, []int{1, 1}, []int{messages, sent})
						return
					}
					assert.Empty(t, got.messages)
					assert.Equal(t, []int{0, 0}, []int{messages, sent}, "what the handler was let do")
					assertStatus(t, want, status.Convert(got.err))
				})
			}
		}
	}
}

func assertStatus(t *testing.T, want outcome, got *status.Status) {
	t.Helper()
	code := codes.Unauthenticated
	switch want.class {
	case claims.ErrForbidden, claims.ErrInsufficientScope:
		code = codes.PermissionDenied
	case claims.ErrUnavailable:
		code = codes.Unavailable
	}
	require.Equal(t, code, got.Code(), got.Message())
	assert.Equal(t, claims.NewError(want.class, want.reason, nil).Text(), got.Message())
	info, retry := details(t, got)
	assert.Equal(t, strings.ToUpper(string(want.reason)), info.GetReason())
	assert.Equal(t, "orders.example", info.GetDomain())
	metadata := map[string]string{}
	for name, value := range map[string]string{"scope": want.scope, "acr_values": want.acr, "max_age": want.most} {
		if value != "" {
			metadata[name] = value
		}
	}
	assert.Len(t, info.GetMetadata(), len(metadata))
	for name, value := range metadata {
		assert.Equal(t, value, info.GetMetadata()[name])
	}
	assert.Equal(t, code == codes.Unavailable, retry.GetRetryDelay().AsDuration() == time.Second)
	assertNothingTold(t, got.String())
}
