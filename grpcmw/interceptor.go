package grpcmw

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/bearer"
)

// Config says what an [Interceptor] lets through and how it answers.
type Config struct {
	// Policy says what each method needs. Required; a method that it does not
	// list is refused.
	Policy Policy

	// Realm is the realm of the challenges (RFC 9110 section 11.5): a name for
	// what is protected, shown to clients. Empty means "api".
	Realm string

	// Domain is the domain of the ErrorInfo details of refusals: the name of the
	// service. Empty means [DefaultDomain].
	Domain string
}

// Interceptor stands in front of the methods of a gRPC server and lets through
// the calls of callers who may. It is immutable and safe for concurrent use.
// [New] makes one.
type Interceptor struct {
	auth      claims.Authenticator
	policy    Policy
	challenge bearer.Challenge
	domain    string
	statuses  map[kind]error
}

var (
	errExpired  = claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)
	errUnlisted = claims.NewError(claims.ErrForbidden, claims.ReasonUnlisted, nil)
)

// New returns an Interceptor that asks auth who makes a call: a
// [*claims.Verifier], a [*claims.Issuers], or any other. The error reports
// everything that is wrong with its arguments.
func New(auth claims.Authenticator, cfg Config) (*Interceptor, error) {
	errs := cfg.Policy.validate()
	// A constructor returns a nil pointer beside an error.
	if v := reflect.ValueOf(auth); auth == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		errs = append(errs, errors.New("grpcmw: New needs an Authenticator"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	i := &Interceptor{
		auth:      auth,
		policy:    maps.Clone(cfg.Policy),
		challenge: bearer.NewChallenge(cfg.Realm),
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
	ctx, err := i.check(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

// Stream is a [grpc.StreamServerInterceptor]. A server needs [Interceptor.Unary]
// as well: [Interceptor.ServerOptions] installs both.
func (i *Interceptor) Stream(
	srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	ctx, err := i.check(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	guarded := &guardedStream{ServerStream: stream, ctx: ctx, by: i}
	if caller, ok := claims.FromContext(ctx); ok && !caller.ValidUntil().IsZero() {
		guarded.until = caller.ValidUntil()
		// Who waits for something to send learns of the end as well.
		ended, cancel := context.WithDeadlineCause(ctx, guarded.until, errExpired)
		defer cancel()
		guarded.ctx = ended
	}
	return handler(srv, guarded)
}

// guardedStream is a stream whose context carries the caller, and which passes no
// message once his token has expired.
type guardedStream struct {
	grpc.ServerStream
	ctx     context.Context
	by      *Interceptor
	until   time.Time // zero for ever
	refuse  sync.Once
	refusal error
}

func (s *guardedStream) Context() context.Context { return s.ctx }

func (s *guardedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	return s.expired() // it may have waited long
}

func (s *guardedStream) SendMsg(m any) error {
	if err := s.expired(); err != nil {
		return err
	}
	return s.ServerStream.SendMsg(m)
}

func (s *guardedStream) expired() error {
	if s.until.IsZero() || time.Now().Before(s.until) {
		return nil
	}
	// Once, as each time the trailer would grow.
	s.refuse.Do(func() { s.refusal = s.by.refuse(s.ctx, errExpired, claims.Authenticated()) })
	return s.refusal
}

// check returns the context for the handler, or the status error of a refusal.
func (i *Interceptor) check(ctx context.Context, method string) (context.Context, error) {
	needs, listed := i.policy[method]
	if !listed {
		return nil, i.refuse(ctx, errUnlisted, needs)
	}
	if needs.IsPublic() {
		return ctx, nil
	}
	credentials, err := bearer.Parse(metadata.ValueFromIncomingContext(ctx, "authorization"))
	if err != nil {
		return nil, i.refuse(ctx, claims.AsError(err), needs)
	}
	caller, err := claims.Authorize(ctx, i.auth, credentials, needs)
	if err != nil {
		return nil, i.refuse(ctx, claims.AsError(err), needs)
	}
	return claims.NewContext(ctx, caller), nil
}
