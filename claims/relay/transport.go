package relay

import (
	"errors"
	"net/http"
)

var errOwnToken = errors.New("relay: the request has an Authorization field of its own")

// Transport returns an [http.RoundTripper] that sends each request with the
// token of the caller that the request's context is of, by base, or by
// [http.DefaultTransport] if that is nil. A request to a host that is not
// named, or that has an Authorization field already, is not sent. A redirect is
// a request like any other: it gets the token if it is to a host that is named,
// and otherwise fails.
//
// Give it to a client of its own, which asks no others.
func (r *Relay) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{r, base}
}

type transport struct {
	relay *Relay
	base  http.RoundTripper
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := t.tokenFor(req)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // as a RoundTripper must
		}
		return nil, err
	}
	sent := req.Clone(req.Context()) // which must not be modified
	if sent.Header == nil {
		sent.Header = http.Header{}
	}
	sent.Header.Set("Authorization", "Bearer "+token)
	return t.base.RoundTrip(sent)
}

func (t *transport) tokenFor(req *http.Request) (string, error) {
	if err := t.relay.May(req.URL); err != nil {
		return "", err
	}
	if len(req.Header.Values("Authorization")) > 0 {
		return "", errOwnToken
	}
	return t.relay.Token(req.Context())
}
