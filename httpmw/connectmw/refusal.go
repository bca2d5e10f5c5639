package connectmw

import (
	"errors"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sallyport-go/sallyport/claims"
)

// DefaultDomain is the domain of the ErrorInfo details of refusals where
// [Config.Domain] names none.
const DefaultDomain = "sallyport"

const challengeField = "Www-Authenticate"

// refused is what a client is told, and what operators are: connect sends the
// text of an error to the client.
type refused struct {
	text    string
	refusal *claims.Error
}

func (r *refused) Error() string { return r.text }
func (r *refused) Unwrap() error { return r.refusal }

// answer is where a refusal goes.
type answer struct {
	header, trailer http.Header // nil where there are none
	grpc            bool
}

// refuse returns the error of a call that is refused, and sets what goes beside
// it.
func (i *Interceptor) refuse(to answer, refusal *claims.Error) *connect.Error {
	err, challenges := i.errorOf(refusal)
	// Not in the error's metadata, which over gRPC are trailers: it must never
	// be one (RFC 9110 section 6.5.1).
	if len(challenges) > 0 && to.header != nil {
		to.header[challengeField] = challenges
	}
	if to.header != nil && !to.grpc {
		to.header.Set("Cache-Control", "no-store") // as calls without effects are GETs
	}
	if refusal.Class() != claims.ErrUnavailable {
		return err
	}
	wait := retryOf(refusal)
	if to.grpc && to.trailer != nil {
		to.trailer.Set("Grpc-Retry-Pushback-Ms", // gRFC A6
			strconv.FormatInt(wait.Milliseconds(), 10))
	} else if !to.grpc && to.header != nil {
		to.header.Set("Retry-After",
			strconv.FormatInt(int64((wait+time.Second-1)/time.Second), 10))
	}
	return err
}

// write refuses a call that has not reached connect.
func (i *Interceptor) write(w http.ResponseWriter, r *http.Request, err error) {
	refusal := claims.AsError(err)
	kind := r.Header.Get("Content-Type")
	to := answer{
		header: w.Header(), trailer: http.Header{},
		grpc: strings.HasPrefix(kind, "application/grpc"),
	}
	failed := i.refuse(to, refusal)
	maps.Copy(failed.Meta(), to.trailer) // where connect takes a gRPC error's trailers from
	_ = i.writer.Write(w, r, failed)     // a client that has gone away needs none
}

// refusalIn returns the refusal that err is or wraps, nil if there is none.
func refusalIn(err error) *claims.Error {
	if err == nil {
		return nil
	}
	if e, ok := err.(*claims.Error); ok && e == nil {
		return claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
			errors.New("connectmw: the handler returned a nil *claims.Error"))
	}
	refusal := claims.AsError(err)
	if !errors.Is(err, refusal.Class()) { // any other error has become one
		return nil
	}
	return refusal
}

// errorOf returns a refusal as connect sends it, and its challenges, one for
// each scheme, none if no other token would help.
func (i *Interceptor) errorOf(refusal *claims.Error) (*connect.Error, []string) {
	var challenges []string
	domain := DefaultDomain
	if i.isMade() {
		challenges, domain = i.challenge.Fields(refusal, i.guard.Schemes()), i.domain
	}
	err := connect.NewError(codeOf(refusal.Class()), &refused{refusal.Text(), refusal})
	asks := map[string]string{
		"www-authenticate": strings.Join(challenges, ", "),
		"scope":            refusal.Scope(), "acr_values": refusal.ACRValues(),
	}
	if age := refusal.MaxAge(); age > 0 {
		asks["max_age"] = strconv.FormatInt(int64(age/time.Second), 10)
	}
	maps.DeleteFunc(asks, func(_, value string) bool { return value == "" })
	addDetail(err, &errdetails.ErrorInfo{
		Reason: strings.ToUpper(string(refusal.Reason())), Domain: domain, Metadata: asks,
	})
	if refusal.Class() == claims.ErrUnavailable {
		addDetail(err, &errdetails.RetryInfo{RetryDelay: durationpb.New(retryOf(refusal))})
	}
	return err, challenges
}

func addDetail(err *connect.Error, message proto.Message) {
	if detail, fault := connect.NewErrorDetail(message); fault == nil {
		err.AddDetail(detail)
	}
}

func retryOf(refusal *claims.Error) time.Duration {
	return max(refusal.RetryAfter(), time.Second)
}

func codeOf(class error) connect.Code {
	switch class {
	case claims.ErrInsufficientScope, claims.ErrForbidden:
		return connect.CodePermissionDenied
	case claims.ErrUnavailable:
		return connect.CodeUnavailable
	}
	return connect.CodeUnauthenticated
}
