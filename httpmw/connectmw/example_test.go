package connectmw_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"connectrpc.com/connect"
	testpb "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw/connectmw"
)

func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	const getOrder = "/grpc.testing.TestService/UnaryCall" // generated code has it as a constant
	auth, err := connectmw.New(verifier, connectmw.Config{
		Policy: connectmw.Policy{getOrder: claims.Scopes("orders:read")},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(getOrder, auth.Wrap(connect.NewUnaryHandler(getOrder, serveOrder, connect.WithInterceptors(auth))))
	server := httptest.NewServer(mux)
	defer server.Close()

	client := connect.NewClient[testpb.SimpleRequest, testpb.SimpleResponse](http.DefaultClient, server.URL+getOrder)
	_, err = client.CallUnary(context.Background(), connect.NewRequest(&testpb.SimpleRequest{}))
	fmt.Println(err)
	if refused := (*connect.Error)(nil); errors.As(err, &refused) {
		fmt.Println(refused.Meta().Get("WWW-Authenticate"))
	}
	// Output:
	// unauthenticated: This operation needs an access token.
	// Bearer realm="api", scope="orders:read"
}

func serveOrder(
	ctx context.Context, _ *connect.Request[testpb.SimpleRequest],
) (*connect.Response[testpb.SimpleResponse], error) {
	caller, _ := claims.FromContext(ctx)
	return connect.NewResponse(&testpb.SimpleResponse{Username: caller.Subject()}), nil
}
