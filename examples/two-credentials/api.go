package main

import (
	"context"
	"net"
	"net/http"

	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statictoken"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

const (
	sandboxField  = "X-Sandbox-Token"
	sandboxPrefix = "sandbox" // of its tokens
	sandbox       = "sandbox" // the second credential's name in requirements
)

// reading is what reading needs in a sandbox, over both APIs. In production it
// is claims.Scopes("entities:read") alone.
var reading = claims.All(
	claims.Scopes("entities:read"), claims.Second(sandbox, claims.Authenticated()))

// api is both APIs.
type api struct {
	callers   claims.Authenticator // OAuth or environment tokens
	sandboxes claims.Authenticator
}

// newAPI returns the APIs. Environment and sandbox tokens lie in files.
func newAPI(issuer, environments, sandboxes string) (*api, error) {
	oauth, err := claims.NewVerifier(claims.Config{
		Issuer: issuer, Audiences: []string{audience}, Profile: claims.RFC9068,
	})
	if err != nil {
		return nil, err
	}
	static, err := statictoken.New(statictoken.Config{File: environments})
	if err != nil {
		return nil, err
	}
	second, err := statictoken.New(statictoken.Config{
		File: sandboxes, Prefix: sandboxPrefix, Issuer: "sandboxes",
	})
	if err != nil {
		return nil, err
	}
	// The form of a token says which of the two it is.
	return &api{callers: claims.FirstOf(static, oauth), sandboxes: second}, nil
}

func (a *api) rest() http.Handler {
	mux := httpmw.NewServeMux(httpmw.New(a.callers, httpmw.Config{
		Second: map[string]httpmw.Second{
			sandbox: {From: httpmw.FromHeader(sandboxField, ""), Auth: a.sandboxes},
		},
	}))
	mux.HandleFunc("GET /entities/{id}", reading, func(w http.ResponseWriter, r *http.Request) {
		caller, _ := claims.FromContext(r.Context())
		owner, _ := claims.SecondFromContext(r.Context(), sandbox)
		demo.WriteJSON(w, http.StatusOK, map[string]string{
			"id": r.PathValue("id"), "caller": caller.Subject(), "sandbox": owner.Subject(),
		})
	})
	return mux
}

// serveGRPC serves the gRPC API until ctx ends, and returns its address.
func (a *api) serveGRPC(ctx context.Context) (string, error) {
	auth, err := grpcmw.New(a.callers, grpcmw.Config{
		Policy: grpcmw.Policy{
			orderspb.Orders_GetOrder_FullMethodName:     reading,
			orderspb.Orders_WatchOrders_FullMethodName:  reading,
			orderspb.Orders_CreateOrder_FullMethodName:  reading,
			orderspb.Orders_ImportOrders_FullMethodName: reading,
			orderspb.Orders_SyncOrders_FullMethodName:   reading,
			orderspb.Orders_DeleteOrder_FullMethodName:  reading,
		},
		Second: map[string]grpcmw.Second{
			sandbox: {From: grpcmw.FromMetadata(sandboxField, ""), Auth: a.sandboxes},
		},
	})
	if err != nil {
		return "", err
	}
	server := grpc.NewServer(auth.ServerOptions()...)
	orderspb.RegisterOrdersServer(server, entities{})
	if err := auth.Audit(server); err != nil {
		return "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() { _ = server.Serve(listener) }()
	context.AfterFunc(ctx, server.Stop)
	return listener.Addr().String(), nil
}

// entities is the gRPC service, of which one method is served here.
type entities struct {
	orderspb.UnimplementedOrdersServer
}

func (entities) GetOrder(
	ctx context.Context, in *orderspb.GetOrderRequest,
) (*orderspb.GetOrderResponse, error) {
	caller, _ := claims.FromContext(ctx)
	return &orderspb.GetOrderResponse{
		Order: &orderspb.Order{Id: in.GetId(), Item: caller.Subject()},
	}, nil
}
