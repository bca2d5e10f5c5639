package grpcmw_test

import (
	"fmt"
	"log"
	"maps"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/grpcmw/internal/notespb"
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

// The methods of one service declare what they need; that of another is added.
func ExampleDeclaredPolicy() {
	policy, err := grpcmw.DeclaredPolicy(grpcmw.DeclaredConfig{
		Services: []string{notespb.Notes_ServiceDesc.ServiceName},
		Named:    map[string]claims.Requirement{"staff": staff},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	maps.Copy(policy, grpcmw.Policy{healthpb.Health_Check_FullMethodName: claims.Public()})
	for _, operation := range policy.Operations() {
		fmt.Println(operation.Name, operation.Requirement)
	}
	// Output:
	// /grpc.health.v1.Health/Check Public()
	// /notes.v1.Notes/DeleteNote All(ACR("mfa", "hwk"), MaxAge(5m0s), ReportOnly(Scopes("notes:delete")))
	// /notes.v1.Notes/GetNote Scopes("notes:read")
	// /notes.v1.Notes/ImportNotes All(Scopes("notes:write"), Permissions("notes.import"))
	// /notes.v1.Notes/Ping Public()
	// /notes.v1.Notes/SyncNotes AnyOf(AnyPermission("notes.sync", "notes.admin"), Func("staff"))
	// /notes.v1.Notes/WatchNotes AnyScope("notes:read", "notes:watch")
	// /notes.v1.Notes/Whoami Authenticated()
}
