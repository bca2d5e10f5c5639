package grpcmw

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// DefaultDomain is the domain of the ErrorInfo details of refusals where
// [Config.Domain] names none.
const DefaultDomain = "sallyport"

// Refuse returns the status error for a call that is refused for err, which must
// not be nil, and sets the challenge in the call's trailer. It is for the error
// of [claims.Allowed] inside a method. Nothing of err but its class, its reason
// and what it asks the client for is sent.
func (i *Interceptor) Refuse(ctx context.Context, err error) error {
	refusal := claims.AsError(err)
	if field := i.challenge.Field(refusal); field != "" {
		// It fails only outside a call, where nobody reads a trailer.
		_ = grpc.SetTrailer(ctx, metadata.Pairs("www-authenticate", field))
	}
	if hasParticulars(refusal) {
		return statusOf(refusal, i.domain)
	}
	return i.statuses.For(refusal)
}

// hasParticulars reports whether a status error says more than its kind does.
func hasParticulars(refusal *claims.Error) bool {
	return refusal.Class() == claims.ErrUnavailable || refusal.Scope() != "" ||
		refusal.ACRValues() != "" || refusal.MaxAge() > 0
}

// statusesOf returns the status errors of the refusals without particulars.
func statusesOf(domain string) httpauth.Prepared[error] {
	return httpauth.Prepare(func(refusal *claims.Error) error { return statusOf(refusal, domain) })
}

func statusOf(refusal *claims.Error, domain string) error {
	asks := map[string]string{"scope": refusal.Scope(), "acr_values": refusal.ACRValues()}
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
			RetryDelay: durationpb.New(max(refusal.RetryAfter(), time.Second)),
		})
	}
	st := status.New(codeOf(refusal.Class()), refusal.Text())
	if detailed, err := st.WithDetails(details...); err == nil {
		st = detailed
	}
	return st.Err()
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
