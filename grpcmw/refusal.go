package grpcmw

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sallyport-go/sallyport/claims"
)

// DefaultDomain is the domain of the ErrorInfo details of refusals where
// [Config.Domain] names none.
const DefaultDomain = "sallyport"

// challengeKey is the metadata key of a challenge: of the response header and
// of ErrorInfo.
const challengeKey = "www-authenticate"

// refusedError is the status error of a refusal.
type refusedError struct {
	status     *status.Status
	challenges []string      // not modified
	retry      time.Duration // when to try again, zero for never
	pushed     atomic.Bool   // the call's trailer has it
	refusal    *claims.Error
	misuse     string // instead of the status's text, for who calls by hand
}

func (e *refusedError) Error() string {
	if e.misuse != "" {
		return e.misuse
	}
	return e.status.Err().Error()
}

// GRPCStatus is what the client is told.
func (e *refusedError) GRPCStatus() *status.Status { return e.status }

// Unwrap lets interceptors outside find the [*claims.Error], for operators.
func (e *refusedError) Unwrap() error { return e.refusal }

// Refuse returns the status error for a call that is refused for err, which
// must not be nil, and adds the challenge to the response header if that has
// not been sent. A method need not call it: the Interceptor does so with each
// [*claims.Error] that a method returns, such as that of [claims.Allowed]. It
// is for interceptors, and for errors of another kind. The client is sent the
// class of err, its reason and what it asks for, and nothing else of it.
func (i *Interceptor) Refuse(ctx context.Context, err error) error {
	if !i.isMade() {
		return misused("Refuse: the Interceptor was not made by New")
	}
	return i.refuse(ctx, err)
}

func (i *Interceptor) refuse(ctx context.Context, err error) *refusedError {
	var refused *refusedError
	if errors.As(err, &refused) { // a header would be the second
		return refused
	}
	refusal := claims.AsError(err)
	refused = i.prepared.For(refusal)
	switch {
	case hasParticulars(refusal) || len(i.guard.Schemes()) > 0:
		refused = i.refusalOf(refusal)
	case refusal.Unwrap() != nil: // for operators, in an error of its own
		refused = &refusedError{
			status: refused.status, challenges: refused.challenges, refusal: refusal,
		}
	}
	if len(refused.challenges) > 0 && ctx != nil {
		// It fails where the header has gone: ErrorInfo has them too.
		_ = grpc.SetHeader(ctx, metadata.MD{challengeKey: refused.challenges})
	}
	return refused
}

// leave returns what the client is told when a handler has returned err. A
// refusal, however it is wrapped, is turned into its status.
func (i *Interceptor) leave(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var refused *refusedError
	if !errors.As(err, &refused) {
		refusal := refusalIn(err)
		if refusal == nil {
			return err
		}
		refused = i.refuse(ctx, refusal)
	}
	// Once, as a client does not retry when it is told two times to wait.
	if refused.retry > 0 && refused.pushed.CompareAndSwap(false, true) {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("grpc-retry-pushback-ms", // gRFC A6
			strconv.FormatInt(refused.retry.Milliseconds(), 10)))
	}
	return refused
}

// refusalIn returns the refusal that err is or wraps, nil if there is none.
func refusalIn(err error) *claims.Error {
	if e, ok := err.(*claims.Error); ok && e == nil {
		return claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
			errors.New("grpcmw: the handler returned a nil *claims.Error"))
	}
	refusal := claims.AsError(err)
	if !errors.Is(err, refusal.Class()) { // any other error has become one
		return nil
	}
	return refusal
}

// misused returns the error of a call that cannot be guarded because of how it
// was made. The client learns nothing of that.
func misused(how string) error {
	how = "grpcmw: Interceptor." + how
	refusal := claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, errors.New(how))
	st := statusOf(refusal, DefaultDomain, "")
	return &refusedError{status: st, refusal: refusal, misuse: how}
}

// hasParticulars reports whether a refusal says more than its kind does.
func hasParticulars(refusal *claims.Error) bool {
	return refusal.Class() == claims.ErrUnavailable || refusal.Scope() != "" ||
		refusal.ACRValues() != "" || refusal.MaxAge() > 0 || refusal.Second() != ""
}

func (i *Interceptor) refusalOf(refusal *claims.Error) *refusedError {
	e := &refusedError{
		refusal: refusal, challenges: i.challenge.Fields(refusal, i.guard.Schemes()),
	}
	if refusal.Class() == claims.ErrUnavailable {
		e.retry = retryOf(refusal)
	}
	e.status = statusOf(refusal, i.domain, strings.Join(e.challenges, ", "))
	return e
}

func retryOf(refusal *claims.Error) time.Duration {
	return max(refusal.RetryAfter(), time.Second)
}

func statusOf(refusal *claims.Error, domain, challenge string) *status.Status {
	asks := map[string]string{
		challengeKey: challenge, "scope": refusal.Scope(), "acr_values": refusal.ACRValues(),
		"credential": refusal.Second(),
	}
	if age := refusal.MaxAge(); age > 0 {
		asks["max_age"] = strconv.FormatInt(int64(age/time.Second), 10)
	}
	maps.DeleteFunc(asks, func(_, value string) bool { return value == "" })
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{
		Reason:   strings.ToUpper(string(refusal.Reason())),
		Domain:   domain,
		Metadata: asks,
	}}
	if refusal.Class() == claims.ErrUnavailable {
		details = append(details, &errdetails.RetryInfo{
			RetryDelay: durationpb.New(retryOf(refusal)),
		})
	}
	st := status.New(codeOf(refusal.Class()), refusal.Text())
	if detailed, err := st.WithDetails(details...); err == nil {
		st = detailed
	}
	return st
}

func codeOf(class error) codes.Code {
	switch class {
	case claims.ErrInsufficientScope, claims.ErrForbidden:
		return codes.PermissionDenied
	case claims.ErrUnavailable:
		return codes.Unavailable
	}
	return codes.Unauthenticated
}
