package grpcmw_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// Whatever an operation needs and whoever asks, each transport gives the same
// answer: its status, its challenge, and one decision; and no handler is let
// see a request that is refused.
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
					assert.Equal(t, want.challenge(), strings.Join(got.header.Get("www-authenticate"), "|"))
					assert.Empty(t, got.trailer.Get("www-authenticate"), "RFC 9110 section 6.5.1")
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
