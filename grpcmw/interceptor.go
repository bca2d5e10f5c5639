package grpcmw

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// Config says what an [Interceptor] lets through and how it answers.
type Config struct {
	// Policy says what each method needs. Required; a method that it does not
	// list is refused.
	Policy Policy

	// Realm is the realm of the challenges (RFC 9110 section 11.5): a name for
	// what is protected, shown to clients. Empty means "api".
	Realm string

	// Permissions says what callers may do where their tokens do not, usually a
	// [*claims.PermissionCache]. Nil means that tokens alone grant permissions.
	Permissions claims.PermissionSource

	// Observer is told of every decision about a call of a method that is not
	// public, and of streams that end with their token: an audit log, such as
	// [claims.LogDecisions]. Nil means nobody.
	Observer claims.Observer

	// Domain is the domain of the ErrorInfo details of refusals: the name of the
	// service. Empty means [DefaultDomain].
	Domain string
}

// Interceptor stands in front of the methods of a gRPC server and lets through
// the calls of callers who may. It is immutable and safe for concurrent use.
// [New] makes one.
type Interceptor struct {
	guard     *claims.Guard
	policy    Policy
	challenge httpauth.Challenge
	domain    string
	statuses  httpauth.Prepared[error]
}

// protocol is what this package's operations are of in an access table.
const protocol = "gRPC"

var errUnlisted = claims.NewError(claims.ErrForbidden, claims.ReasonUnlisted, nil)

// New returns an Interceptor that asks auth who makes a call: a
// [*claims.Verifier], a [*claims.Issuers], or any other. The error reports
// everything that is wrong with its arguments.
func New(auth claims.Authenticator, cfg Config) (*Interceptor, error) {
	errs := cfg.Policy.validate()
	guard, err := claims.NewGuard(auth, claims.GuardConfig{
		Permissions: cfg.Permissions, Observer: cfg.Observer,
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("grpcmw: New: %w", err))
	}
	challenge, err := httpauth.NewChallenge(httpauth.ChallengeConfig{Realm: cfg.Realm})
	if err != nil {
		errs = append(errs, fmt.Errorf(
			"grpcmw: New: Config.Realm of %q must be printable ASCII", cfg.Realm))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	i := &Interceptor{
		guard:     guard,
		policy:    maps.Clone(cfg.Policy),
		challenge: challenge,
		domain:    cfg.Domain,
	}
	if i.domain == "" {
		i.domain = DefaultDomain
	}
	i.statuses = statusesOf(i.domain)
	return i, nil
}

// ServerOptions returns the options that install the Interceptor on a server,
// for unary calls and streams together, so that neither can be forgotten. They
// chain with other interceptors, in the order of the options given to
// [grpc.NewServer].
func (i *Interceptor) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(i.Unary),
		grpc.ChainStreamInterceptor(i.Stream),
	}
}

// Unary is a [grpc.UnaryServerInterceptor]. A server needs [Interceptor.Stream]
// as well: [Interceptor.ServerOptions] installs both.
func (i *Interceptor) Unary(
	ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (any, error) {
	ctx, err := i.check(ctx, info.FullMethod, req, false, true)
	if err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

// Stream is a [grpc.StreamServerInterceptor]. What a requirement finds in the request
// it finds in the first message: the handler is called before that arrives, can send
// nothing until it has received it, and should do nothing. What it says of headers and
// trailers before waits for the decision too; it can not choose a compressor. A server
// needs [Interceptor.Unary]
// as well: [Interceptor.ServerOptions] installs both.
func (i *Interceptor) Stream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	// What is handled as an unknown service has no implementation.
	ctx, err := i.check(stream.Context(), info.FullMethod, nil, true, srv != nil)
	if err != nil {
		return err
	}
	guarded := newGuardedStream(stream, ctx, i)
	defer guarded.cancel()
	return guarded.ended(handler(srv, guarded))
}

// check returns the context for the handler, or the status error of a refusal. The name
// of a method that is not registered is the client's.
func (i *Interceptor) check(
	ctx context.Context, method string, request any, stream, registered bool,
) (context.Context, error) {
	needs, listed := i.policy[method]
	if needs.IsPublic() {
		return ctx, nil
	}
	op := claims.Operation{Protocol: protocol, Name: method, Requirement: needs}
	if !listed {
		if !registered {
			op.Name = ""
		}
		return nil, i.Refuse(ctx, i.guard.Refuse(ctx, op, errUnlisted))
	}
	credentials, err := httpauth.Parse(metadata.ValueFromIncomingContext(ctx, "authorization"))
	if err != nil {
		return nil, i.Refuse(ctx, i.guard.Refuse(ctx, op, err))
	}
	var admitted context.Context
	if stream {
		admitted, err = i.guard.AuthorizeStream(ctx, op, credentials)
	} else {
		admitted, err = i.guard.Authorize(ctx, op, credentials, request)
	}
	if err != nil {
		return nil, i.Refuse(ctx, err)
	}
	return admitted, nil
}
