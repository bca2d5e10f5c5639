package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/claims/statictoken"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// service is an API that takes static tokens and opaque ones.
type service struct {
	orderspb.UnimplementedOrdersServer
	http, grpc string
}

func (*service) GetOrder(
	context.Context, *orderspb.GetOrderRequest,
) (*orderspb.GetOrderResponse, error) {
	return &orderspb.GetOrderResponse{Order: &orderspb.Order{Id: "1", Item: "tea"}}, nil
}

func start(t *testing.T, auth claims.Authenticator) *service {
	t.Helper()
	needs := claims.Scopes("orders:read")
	mux := httpmw.NewServeMux(httpmw.New(auth, httpmw.Config{}))
	mux.HandleFunc("GET /orders", needs, func(w http.ResponseWriter, r *http.Request) {
		caller, _ := claims.FromContext(r.Context())
		fmt.Fprint(w, "for ", caller.Subject())
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	guard, err := grpcmw.New(auth, grpcmw.Config{Policy: grpcmw.Policy{
		orderspb.Orders_GetOrder_FullMethodName: needs,
	}})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &service{http: server.URL, grpc: listener.Addr().String()}
	calls := grpc.NewServer(guard.ServerOptions()...)
	orderspb.RegisterOrdersServer(calls, s)
	go func() { _ = calls.Serve(listener) }()
	t.Cleanup(calls.Stop)
	return s
}

// One client, whatever its token is.
func TestRun(t *testing.T) {
	t.Parallel()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"active":%v,"sub":"alice","aud":"orders","scope":"orders:read"}`,
			r.FormValue("token") == "2YotnFZFEjr1zCsicMWpAA")
	}))
	defer endpoint.Close()
	opaque, err := introspection.New(introspection.Config{
		Endpoint: endpoint.URL, Client: introspection.Basic("orders", "secret"),
		Accept: claims.Config{Issuer: "https://issuer.example", Audiences: []string{"orders"}},
	})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "tokens")
	reader, err := statictoken.AddToFile(file, "", statictoken.Token{
		Subject: "nightly", Scopes: []string{"orders:read"},
	})
	require.NoError(t, err)
	writer, err := statictoken.AddToFile(file, "", statictoken.Token{
		Subject: "other", Scopes: []string{"orders:write"},
	})
	require.NoError(t, err)
	static, err := statictoken.New(statictoken.Config{File: file})
	require.NoError(t, err)
	s := start(t, claims.FirstOf(static, opaque))

	for _, tt := range []struct {
		token, http, fault string
	}{
		{token: reader, http: "HTTP 200 for nightly\ngRPC tea\n"},
		{token: "2YotnFZFEjr1zCsicMWpAA", http: "HTTP 200 for alice\ngRPC tea\n"},
		{token: writer, http: "HTTP 403", fault: "PermissionDenied"},
		{token: "made-up", http: "HTTP 401", fault: "Unauthenticated"},
		{token: "", fault: "ORDERS_TOKEN is empty"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), s.http, s.grpc, token(tt.token), &out)
		if tt.fault == "" {
			require.NoError(t, err)
			assert.Equal(t, tt.http, out.String())
			continue
		}
		require.ErrorContains(t, err, tt.fault)
		assert.Contains(t, out.String(), tt.http)
	}
}

// A token goes to the API alone, and over nothing that others can read.
func TestToken_staysHome(t *testing.T) {
	t.Parallel()
	var seen []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	api := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	defer api.Close()
	client, err := token("secret").httpClient(api.URL)
	require.NoError(t, err)
	response, err := client.Get(api.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, []string{""}, seen)

	_, err = token("secret").httpClient("http://orders.example")
	require.ErrorContains(t, err, "is not https")
	_, err = token("secret").GetRequestMetadata(t.Context(), "http://orders.example/orders.v1.Orders")
	require.Error(t, err)
	metadata, err := token("secret").GetRequestMetadata(t.Context(), "https://orders.example/orders.v1.Orders")
	require.NoError(t, err)
	assert.Equal(t, "Bearer secret", metadata["authorization"])
	assert.NotContains(t, fmt.Sprintf("%v %s", token("secret"), token("secret")), "secret")
}
