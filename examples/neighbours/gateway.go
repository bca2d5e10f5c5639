// Package neighbours shows Sallyport beside what else stands in a server:
// code to copy, and tests of what holds.
package neighbours

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// NewGatewayMux returns a mux of grpc-gateway for a gRPC server that grpcmw
// guards: the gateway passes the Authorization field on, the server decides,
// and its refusals reach HTTP clients whole. The gateway itself needs no guard
// where it reaches nothing but that server.
func NewGatewayMux(options ...runtime.ServeMuxOption) *runtime.ServeMux {
	return runtime.NewServeMux(append([]runtime.ServeMuxOption{
		runtime.WithErrorHandler(writeError),
		runtime.WithIncomingHeaderMatcher(passOn),
		runtime.WithOutgoingHeaderMatcher(passBack),
	}, options...)...)
}

// passOn is the gateway's own rule, but for what would be credentials under
// another name: a client could set "Grpc-Metadata-Authorization" where a proxy
// in front looks at Authorization alone.
func passOn(field string) (key string, ok bool) {
	key, ok = runtime.DefaultHeaderMatcher(field)
	switch strings.ToLower(key) {
	case "authorization", "dpop":
		return "", false // the gateway passes Authorization on by itself
	}
	return key, ok
}

// passBack is the gateway's own rule, but for the challenge, which of a stream
// is nowhere else.
func passBack(key string) (field string, ok bool) {
	if strings.EqualFold(key, "www-authenticate") {
		return "Www-Authenticate", true
	}
	return runtime.MetadataHeaderPrefix + key, true
}

// writeError writes what the gateway would, with the challenge of the refusal:
// the gateway puts the text of the status in its place.
func writeError(
	ctx context.Context, mux *runtime.ServeMux, marshaler runtime.Marshaler,
	w http.ResponseWriter, r *http.Request, err error,
) {
	runtime.DefaultHTTPErrorHandler(ctx, mux, marshaler, &challenged{w, err}, r, err)
}

// challenged sets what an answer to a refusal has before it is written.
type challenged struct {
	http.ResponseWriter
	err error
}

func (c *challenged) WriteHeader(code int) {
	header := c.Header()
	header.Del("WWW-Authenticate")
	for _, detail := range status.Convert(c.err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if challenge := detail.GetMetadata()["www-authenticate"]; challenge != "" {
				header.Set("WWW-Authenticate", challenge)
			}
			header.Set("Cache-Control", "no-store")
		case *errdetails.RetryInfo:
			seconds := (detail.GetRetryDelay().AsDuration() + time.Second - 1) / time.Second
			header.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
		}
	}
	c.ResponseWriter.WriteHeader(code)
}
