package connectmw

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// Config says what an [Interceptor] lets through and how it answers.
type Config struct {
	// Policy says what each procedure needs. Required; a procedure that it does
	// not list is refused.
	Policy Policy

	// Realm is the realm of the challenges (RFC 9110 section 11.5): a name for
	// what is protected, shown to clients. Empty means "api".
	Realm string

	// Resource is the URL by which clients know what is protected: the resource
	// identifier of RFC 9728. Challenges then have its metadata's URL as
	// resource_metadata; httpmw.Metadata serves that. It is an https URL
	// without query and fragment, or http to this machine. Empty means that
	// nobody is told.
	Resource string

	// Permissions says what callers may do where their tokens do not, usually a
	// [*claims.PermissionCache]. Nil means that tokens alone grant permissions.
	Permissions claims.PermissionSource

	// Revocations says which tokens have ended before they expire, usually a
	// *revocation.Table; it is asked on each use of a token. Nil means that
	// none have.
	Revocations claims.Revocations

	// Observer is told of every decision about a call of a procedure that is
	// not public, and of streams that end with their token: an audit log, such
	// as [claims.LogDecisions]. Decision.Operation is the procedure; where that
	// is not listed and [Interceptor.Wrap] cannot know whether there is one, it
	// is "unknown". Nil means nobody.
	Observer claims.Observer

	// Domain is the domain of the ErrorInfo details of refusals: the name of
	// the service. Empty means [DefaultDomain].
	Domain string
}

// Interceptor stands in front of the procedures of a Connect server and lets
// through the calls of callers who may. It is a [connect.Interceptor]; as one
// of a client it does nothing. It is immutable and safe for concurrent use.
// [New] makes one; the zero value refuses every call.
type Interceptor struct {
	guard     *claims.Guard
	policy    Policy
	challenge httpauth.Challenge
	domain    string
	writer    *connect.ErrorWriter
}

var _ connect.Interceptor = (*Interceptor)(nil)

// protocol is what this package's operations are of in an access table.
const protocol = "Connect"

// unknownProcedure stands in decisions for a procedure that may not be one.
const unknownProcedure = "unknown"

var (
	errUnlisted = claims.NewError(claims.ErrForbidden, claims.ReasonUnlisted, nil)
	errNotMade  = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
		errors.New("connectmw: the Interceptor was not made by New"))
)

// New returns an Interceptor that asks auth who makes a call: a
// [*claims.Verifier], a [*claims.Issuers], or any other. The error reports
// everything that is wrong with its arguments.
func New(auth claims.Authenticator, cfg Config) (*Interceptor, error) {
	guard, err := claims.NewGuard(auth, claims.GuardConfig{
		Permissions: cfg.Permissions, Observer: cfg.Observer, Revocations: cfg.Revocations,
	})
	errs := cfg.Policy.validate(guard)
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("connectmw: New: "+format, args...))
	}
	for _, err := range each(err) {
		wrong("%w", err)
	}
	challenging := httpauth.ChallengeConfig{Realm: cfg.Realm}
	if cfg.Resource != "" {
		metadata, err := httpauth.ResourceMetadataURL(cfg.Resource)
		if err != nil {
			wrong("Config.Resource of %q %w", cfg.Resource, err)
		}
		challenging.Params = []httpauth.Param{{Name: "resource_metadata", Value: metadata}}
	}
	challenge, err := httpauth.NewChallenge(challenging)
	if err != nil {
		wrong("Config.Realm of %q must be printable ASCII", cfg.Realm)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Interceptor{
		guard: guard, policy: maps.Clone(cfg.Policy), challenge: challenge,
		domain: cmp.Or(cfg.Domain, DefaultDomain), writer: connect.NewErrorWriter(),
	}, nil
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

// WrapUnary implements [connect.Interceptor].
func (i *Interceptor) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if req.Spec().IsClient {
			return next(ctx, req)
		}
		to := answer{grpc: req.Peer().Protocol != connect.ProtocolConnect}
		if info, ok := connect.CallInfoForHandlerContext(ctx); ok {
			to.header, to.trailer = info.ResponseHeader(), info.ResponseTrailer()
		}
		admitted, _, err := i.admit(ctx, call{
			procedure: req.Spec().Procedure, header: req.Header(), request: req.Any(),
		})
		if err != nil {
			return nil, i.refuse(to, claims.AsError(err))
		}
		resp, err := next(admitted, req)
		if refusal := refusalIn(err); refusal != nil {
			return nil, i.refuse(to, refusal)
		}
		return resp, err
	}
}

// WrapStreamingClient implements [connect.Interceptor], and does nothing.
func (i *Interceptor) WrapStreamingClient(
	next connect.StreamingClientFunc,
) connect.StreamingClientFunc {
	return next
}

// WrapStreamingHandler implements [connect.Interceptor]. What a requirement
// finds in the request it finds in the first message; the handler can send
// nothing before it has received that.
func (i *Interceptor) WrapStreamingHandler(
	next connect.StreamingHandlerFunc,
) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		to := answer{
			header: conn.ResponseHeader(), trailer: conn.ResponseTrailer(),
			grpc: conn.Peer().Protocol != connect.ProtocolConnect,
		}
		admitted, e, err := i.admit(ctx, call{
			procedure: conn.Spec().Procedure, header: conn.RequestHeader(), stream: true,
		})
		switch {
		case err != nil:
			return i.refuse(to, claims.AsError(err))
		case admitted == ctx && e == nil: // public
			err = next(ctx, conn)
		default:
			err = i.serve(admitted, e, conn, next)
		}
		if refusal := refusalIn(err); refusal != nil {
			return i.refuse(to, refusal)
		}
		return err
	}
}

// call is what is to be decided about.
type call struct {
	procedure string
	header    http.Header
	stream    bool // the request has not arrived
	request   any
}

// admit returns the context for the handler, or why there is none. Nothing has
// been decided about a public procedure, whose context is ctx.
func (i *Interceptor) admit(
	ctx context.Context, c call,
) (admitted context.Context, decided *early, err error) {
	if !i.isMade() {
		return nil, nil, errNotMade
	}
	needs, listed := i.policy[c.procedure]
	if listed && needs.IsPublic() {
		return ctx, nil, nil
	}
	if e := earlyIn(ctx, i, c.procedure); e != nil {
		if !c.stream {
			err = i.complete(ctx, c.request)
		}
		return ctx, e, err
	}
	op := claims.Operation{Protocol: protocol, Name: c.procedure, Requirement: needs}
	if !listed {
		return nil, nil, i.guard.Refuse(ctx, op, errUnlisted)
	}
	credentials, err := httpauth.Parse(c.header["Authorization"])
	switch {
	case err != nil:
		err = i.guard.Refuse(ctx, op, err)
	case c.stream:
		admitted, err = i.guard.AuthorizeStream(ctx, op, credentials)
	default:
		admitted, err = i.guard.Authorize(ctx, op, credentials, c.request)
	}
	return admitted, nil, err
}

// complete decides about a call whose body was read since it was let through,
// which the client can take its time for.
func (i *Interceptor) complete(ctx context.Context, request any) error {
	if until, over := i.guard.Lasts(ctx); !until.IsZero() && !time.Now().Before(until) {
		return i.guard.Ended(ctx, over)
	}
	if i.guard.IsPending(ctx) {
		return i.guard.Complete(ctx, request)
	}
	return nil
}
