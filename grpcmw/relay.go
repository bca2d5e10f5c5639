package grpcmw

import (
	"context"
	"errors"
	"net/url"

	"google.golang.org/grpc/credentials"

	"github.com/sallyport-go/sallyport/claims/relay"
)

// RelayCredentials returns credentials for [grpc.WithPerRPCCredentials], or for
// [grpc.PerRPCCredentials], by which calls have the token of the caller that
// their context is of, as a [relay.Relay] says: a call to a host that it does
// not name fails, and so does one without TLS, unless the host is one of
// InsecureHTTPHosts. The host is that of the call's authority.
func RelayCredentials(to *relay.Relay) credentials.PerRPCCredentials {
	return relayed{to}
}

type relayed struct{ relay *relay.Relay }

var errNoURI = errors.New("grpcmw: RelayCredentials: the call has no URI")

// GetRequestMetadata returns the token of the caller.
func (r relayed) GetRequestMetadata(
	ctx context.Context, uri ...string,
) (map[string]string, error) {
	if len(uri) != 1 {
		return nil, errNoURI
	}
	to, err := url.Parse(uri[0])
	if err != nil {
		return nil, errNoURI
	}
	to.Scheme = "http" // gRPC has "https" there whatever the connection
	info, ok := credentials.RequestInfoFromContext(ctx)
	if ok && credentials.CheckSecurityLevel(info.AuthInfo, credentials.PrivacyAndIntegrity) == nil {
		to.Scheme = "https"
	}
	if err := r.relay.May(to); err != nil {
		return nil, err
	}
	token, err := r.relay.Token(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]string{authorizationKey: "Bearer " + token}, nil
}

// RequireTransportSecurity reports whether every host must be asked over TLS.
func (r relayed) RequireTransportSecurity() bool { return !r.relay.IsInsecure() }
