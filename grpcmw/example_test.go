package grpcmw_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"maps"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

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

// The policy names each method and what it needs.
func ExampleNew() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = grpcmw.New(verifier, grpcmw.Config{Policy: grpcmw.Policy{
		healthpb.Health_Check_FullMethodName: claims.Public(),
		"grpc.health.v1.Health/Watch":        claims.Authenticated(),
		healthpb.Health_List_FullMethodName:  claims.Scopes(),
	}})
	fmt.Println(err)
	// Output:
	// grpcmw: Config.Policy: /grpc.health.v1.Health/List: claims: Scopes needs at least one scope
	// grpcmw: Config.Policy: "grpc.health.v1.Health/Watch" is not a full method name, "/package.Service/Method" (did you mean "/grpc.health.v1.Health/Watch"?)
}

// Interceptors before the guard see every call and what it refuses; those after
// it see the calls of callers who may, with [claims.FromContext].
func ExampleInterceptor_ServerOptions() {
	auth, err := grpcmw.New(verifierOfExample(), grpcmw.Config{Policy: grpcmw.Policy{
		healthpb.Health_Check_FullMethodName: claims.Authenticated(),
	}})
	if err != nil {
		log.Fatal(err)
	}
	before := func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		resp, err := next(ctx, req)
		log.Print(info.FullMethod, ": ", status.Code(err))
		return resp, err
	}
	after := func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		if caller, ok := claims.FromContext(ctx); ok {
			log.Print("called by ", caller.Subject())
		}
		return next(ctx, req)
	}
	options := []grpc.ServerOption{grpc.ChainUnaryInterceptor(before)}
	options = append(options, auth.ServerOptions()...)
	options = append(options, grpc.ChainUnaryInterceptor(after))
	srv := grpc.NewServer(options...)
	healthpb.RegisterHealthServer(srv, health.NewServer())
	srv.Stop()
	// Output:
}

// A method returns the error of [claims.Allowed] as it is. Refuse is for a
// refusal of one's own.
func ExampleInterceptor_Refuse() {
	auth, err := grpcmw.New(verifierOfExample(), grpcmw.Config{Policy: grpcmw.Policy{
		healthpb.Health_Check_FullMethodName: claims.Public(),
	}})
	if err != nil {
		log.Fatal(err)
	}
	errSuspended := errors.New("account 4711 is suspended")
	check := func(ctx context.Context, _ *healthpb.HealthCheckRequest) (*healthpb.HealthCheckResponse, error) {
		if err := claims.Allowed(ctx, claims.Scopes("health:check")); err != nil {
			return nil, err
		}
		return nil, auth.Refuse(ctx, claims.NewError(claims.ErrForbidden, "suspended", errSuspended))
	}
	info := &grpc.UnaryServerInfo{FullMethod: healthpb.Health_Check_FullMethodName}
	call := func(ctx context.Context) {
		_, err := auth.Unary(ctx, &healthpb.HealthCheckRequest{}, info, func(ctx context.Context, req any) (any, error) {
			return check(ctx, req.(*healthpb.HealthCheckRequest))
		})
		fmt.Println(status.Code(err), status.Convert(err).Message())
	}
	call(context.Background())
	caller, err := claims.FromJSON([]byte(`{"sub": "alice", "scope": "health:check"}`), claims.Config{})
	if err != nil {
		log.Fatal(err)
	}
	call(claims.NewContext(context.Background(), caller))
	// Output:
	// Unauthenticated This operation needs an access token.
	// PermissionDenied The caller is not permitted to do this.
}

func verifierOfExample() *claims.Verifier {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		log.Fatal(err)
	}
	return verifier
}
