package grpcmw

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"

	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
	"github.com/sallyport-go/sallyport/claims/mtls"
)

// Config says what an [Interceptor] lets through and how it answers.
type Config struct {
	// Policy says what each method needs. Required; a method that it does not
	// list is refused.
	Policy Policy

	// Realm is the realm of the challenges (RFC 9110 section 11.5): a name for
	// what is protected, shown to clients. Empty means "api".
	Realm string

	// Resource is the URL by which clients know what is protected: the resource
	// identifier of RFC 9728. Challenges then have its metadata's URL as
	// resource_metadata; an HTTP server must serve that, such as
	// httpmw.Metadata. It is an https URL without query and fragment, or http
	// to this machine. Empty means that nobody is told.
	Resource string

	// From is where in the metadata of a call the credential stands. The zero
	// value is "authorization". No other place is looked at.
	From Place

	// Second are further credentials that a call may have, by the names that a
	// [claims.Second] asks for them by: the token of a sandbox, or of the user
	// for whom a service asks. Each name is a token of at most 32 characters
	// and no authentication scheme, as it is the scheme of the credential's
	// challenges: a client that reads those of its own scheme alone does not
	// take a fault in one credential for a fault in the other. Nil means that a
	// call has one credential.
	Second map[string]Second

	// KeepToken lets a handler pass the caller's token on, or one that it is
	// exchanged for, by package claims/relay: to the hosts that are named
	// there, and no others. False means that the context of a call has no
	// token.
	KeepToken bool

	// Certificates says which proxies are believed when they hand on the
	// certificate of a client, and in which metadata key. From anybody else the
	// key is removed before anything looks at the call, a method included; the
	// certificate of a proxy is nobody's. Nil means that a client's certificate
	// is the one that it showed to this server.
	Certificates *mtls.Forwarded

	// Permissions says what callers may do where their tokens do not, usually a
	// [*claims.PermissionCache]. Nil means that tokens alone grant permissions.
	Permissions claims.PermissionSource

	// Revocations says which tokens have ended before they expire, usually a
	// *revocation.Table; it is asked on each use of a token. Nil means that
	// none have.
	Revocations claims.Revocations

	// Observer is told of every decision about a call of a method that is not
	// public, and of streams that end with their token: an audit log, such as
	// [claims.LogDecisions]. Decision.Operation is the full name of the method;
	// of one that is not registered, whose name is the client's invention, it
	// is "unknown". Nil means nobody.
	Observer claims.Observer

	// Domain is the domain of the ErrorInfo details of refusals: the name of
	// the service. Empty means [DefaultDomain].
	Domain string
}

// Interceptor stands in front of the methods of a gRPC server and lets through
// the calls of callers who may. It is immutable and safe for concurrent use.
// [New] makes one; the zero value refuses every call.
type Interceptor struct {
	guard     *claims.Guard
	from      Place
	second    seeker          // nil for none
	handedOn  *mtls.Forwarded // nil for none
	policy    Policy
	challenge httpauth.Challenge
	domain    string
	prepared  httpauth.Prepared[*refusedError]
}

// protocol is what this package's operations are of in an access table.
const protocol = "gRPC"

// unknownMethod stands in decisions for a method that is not registered.
const unknownMethod = "unknown"

var errUnlisted = claims.NewError(claims.ErrForbidden, claims.ReasonUnlisted, nil)

// New returns an Interceptor that asks auth who makes a call: a
// [*claims.Verifier], a [*claims.Issuers], or any other. The error reports
// everything that is wrong with its arguments. It is an error, where httpmw.New
// panics, because a Policy is data that can be wrong in many places, while
// httpmw.New can only be given a nil.
func New(auth claims.Authenticator, cfg Config) (*Interceptor, error) {
	guard, err := claims.NewGuard(auth, claims.GuardConfig{
		Permissions: cfg.Permissions, Observer: cfg.Observer, Revocations: cfg.Revocations,
		Second: authsOf(cfg.Second), KeepToken: cfg.KeepToken,
	})
	errs := cfg.Policy.validate(guard)
	for _, err := range each(err) {
		errs = append(errs, fmt.Errorf("grpcmw: New: %w", err))
	}
	challenging := httpauth.ChallengeConfig{Realm: cfg.Realm}
	if cfg.Resource != "" {
		metadata, err := httpauth.ResourceMetadataURL(cfg.Resource)
		if err != nil {
			errs = append(errs, fmt.Errorf(
				"grpcmw: New: Config.Resource of %q %w", cfg.Resource, err))
		}
		challenging.Params = []httpauth.Param{{Name: "resource_metadata", Value: metadata}}
	}
	challenge, err := httpauth.NewChallenge(challenging)
	if err != nil {
		errs = append(errs, fmt.Errorf(
			"grpcmw: New: Config.Realm of %q must be printable ASCII", cfg.Realm))
	}
	errs = append(errs, placed("Config.From", cfg.From)...)
	errs = append(errs, placedApart(cfg.From, cfg.Second)...)
	if cfg.Certificates != nil && !cfg.Certificates.IsMade() {
		errs = append(errs, errors.New(
			"grpcmw: New: Config.Certificates was not made by mtls.NewForwarded"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	i := &Interceptor{
		guard:     guard,
		from:      cfg.From,
		second:    secondOf(cfg.Second, cfg.Certificates),
		handedOn:  cfg.Certificates,
		policy:    maps.Clone(cfg.Policy),
		challenge: challenge,
		domain:    cmp.Or(cfg.Domain, DefaultDomain),
	}
	i.prepared = httpauth.Prepare(i.refusalOf)
	return i, nil
}

// each returns the errors that were joined in err.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

func (i *Interceptor) isMade() bool { return i != nil && i.guard != nil }

// ServerOptions returns the options that install the Interceptor on a server,
// for unary calls and streams together, so that neither can be forgotten. They
// chain with other interceptors, in the order of the options given to
// [grpc.NewServer]. It panics if the Interceptor was not made by [New].
func (i *Interceptor) ServerOptions() []grpc.ServerOption {
	if !i.isMade() {
		panic("grpcmw: Interceptor.ServerOptions: the Interceptor was not made by New")
	}
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
	switch {
	case !i.isMade():
		return nil, misused("Unary: the Interceptor was not made by New")
	case ctx == nil:
		return nil, misused("Unary: ctx is nil")
	case info == nil:
		return nil, misused("Unary: info is nil")
	case handler == nil:
		return nil, misused("Unary: handler is nil")
	}
	admitted, _, err := i.check(ctx, call{method: info.FullMethod, registered: true, request: req})
	if err != nil {
		return nil, i.leave(ctx, i.refuse(ctx, err))
	}
	resp, err := handler(admitted, req)
	return resp, i.leave(ctx, err)
}

// Stream is a [grpc.StreamServerInterceptor]. What a requirement finds in the
// request it finds in the first message: the handler is called before that
// arrives, can send nothing until it has received it, and should do nothing.
// What it says of headers and trailers before waits for the decision too; it
// cannot choose a compressor. The package comment says how a stream ends. A
// server needs [Interceptor.Unary] as well: [Interceptor.ServerOptions]
// installs both.
func (i *Interceptor) Stream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	switch {
	case !i.isMade():
		return misused("Stream: the Interceptor was not made by New")
	case stream == nil:
		return misused("Stream: stream is nil")
	case info == nil:
		return misused("Stream: info is nil")
	}
	ctx := stream.Context()
	// What is handled as an unknown service has no implementation.
	admitted, public, err := i.check(ctx, call{
		method: info.FullMethod, registered: srv != nil, stream: true,
	})
	switch {
	case err != nil:
		return i.leave(ctx, i.refuse(ctx, err))
	case handler == nil:
		return misused("Stream: handler is nil")
	case public && i.handedOn != nil:
		return i.leave(ctx, handler(srv, withContext{stream, admitted}))
	case public:
		return i.leave(ctx, handler(srv, stream))
	}
	guarded := newGuardedStream(stream, admitted, i)
	defer guarded.close()
	return i.leave(ctx, guarded.run(srv, handler))
}

// call is what is to be decided about.
type call struct {
	method     string
	registered bool // or else the name of the method is the client's
	stream     bool // the request has not arrived
	request    any
}

// check returns the context for the handler, or why there is none, and whether
// the method is public.
func (i *Interceptor) check(
	ctx context.Context, c call,
) (admitted context.Context, public bool, err error) {
	if i.handedOn != nil {
		ctx = withoutForged(ctx, i.handedOn)
	}
	needs, listed := i.policy[c.method]
	if listed && needs.IsPublic() {
		return ctx, true, nil
	}
	op := claims.Operation{Protocol: protocol, Name: c.method, Requirement: needs}
	if !listed {
		if !c.registered {
			op.Name = unknownMethod
		}
		return nil, false, i.guard.Refuse(ctx, op, errUnlisted)
	}
	credentials, err := i.from.take(ctx)
	if claims.Absent(err) { // which is for the guard to refuse
		err = nil
	}
	credentials.Proof = prover{i.handedOn}
	if i.second != nil {
		credentials.Second = i.second(ctx)
	}
	switch {
	case err != nil:
		err = i.guard.Refuse(ctx, op, err)
	case c.stream:
		admitted, err = i.guard.AuthorizeStream(ctx, op, credentials)
	default:
		admitted, err = i.guard.Authorize(ctx, op, credentials, c.request)
	}
	return admitted, false, err
}
