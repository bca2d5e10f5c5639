// Package quickstart has the gRPC quick start of the README, compiled.
package quickstart

import (
	"log"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
	"github.com/sallyport-go/sallyport/grpcmw"
)

var (
	verifier *claims.Verifier
	orders   orderspb.OrdersServer
)

func Example() {
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{
			orderspb.Orders_GetOrder_FullMethodName:    claims.Scopes("orders:read"),
			orderspb.Orders_CreateOrder_FullMethodName: claims.Scopes("orders:write"),
			healthpb.Health_Check_FullMethodName:       claims.Public(),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	srv := grpc.NewServer(auth.ServerOptions()...) // unary and stream together
	orderspb.RegisterOrdersServer(srv, orders)
	if err := auth.Audit(srv); err != nil { // methods without an entry, entries without a method
		log.Fatal(err)
	}
}
