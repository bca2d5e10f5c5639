package grpcmw_test

import (
	"fmt"
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
)

// A method that was forgotten is found when the server starts, not when
// somebody calls it.
func ExampleInterceptor_Audit() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	auth, err := grpcmw.New(verifier, grpcmw.Config{
		Policy: grpcmw.Policy{
			healthpb.Health_Check_FullMethodName: claims.Public(),
			healthpb.Health_List_FullMethodName:  claims.Scopes("health:list"),
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	srv := grpc.NewServer(auth.ServerOptions()...)
	healthpb.RegisterHealthServer(srv, health.NewServer())
	fmt.Println(auth.Audit(srv))
	// Output:
	// grpcmw: method /grpc.health.v1.Health/Watch has no entry in the policy: it refuses every call
}
