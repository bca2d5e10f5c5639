package httpmw

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

const inProtocol spotKind = "the WebSocket subprotocol"

const protocolField = "Sec-Websocket-Protocol"

// encodedPrefix begins the prefix of subprotocols that have the token encoded.
const encodedPrefix = "base64url."

// FromWebSocketProtocol returns the place that is one of the subprotocols which
// the handshake of a WebSocket offers: what follows the prefix, such as
// "bearer.", is the token. It is for pages, whose WebSocket lets them set no
// other field:
//
//	new WebSocket(url, ["chat.v1", "bearer." + token])
//
// A prefix that begins with "base64url." has the token in base64url without
// padding, as Kubernetes does with "base64url.bearer.authorization.k8s.io.",
// which any token can be, while one with "/" or "=" is no subprotocol.
//
// The handler does not see the token's subprotocol and negotiates among the
// others (RFC 6455 section 4.2.2), so that it cannot send the token back: let
// pages offer another, as a browser that is given none of those it offered
// closes the connection. What logs requests outside the guard may not know that
// the field is secret. On requests that are no handshake the place is empty.
//
// A token in Authorization as well is refused, as [FromCookie] has it.
func FromWebSocketProtocol(prefix string) Place { return Place{&protocolWay{prefix}} }

type protocolWay struct{ prefix string }

func (p *protocolWay) spots() []spot { return []spot{{inProtocol, p.prefix}} }

func (p *protocolWay) validate() error {
	var errs []error
	if !isToken(p.prefix) {
		errs = append(errs, fmt.Errorf("FromWebSocketProtocol: the prefix %q must be a token "+
			"(RFC 6455 section 4.1)", p.prefix))
	}
	return errors.Join(errs...)
}

func (p *protocolWay) take(r *http.Request) (claims.Credentials, error) {
	if !isHandshake(r) {
		return claims.Credentials{}, errNoToken
	}
	var only lone
	for protocol := range offered(r) {
		if token, found := strings.CutPrefix(protocol, p.prefix); found {
			only.found(token)
		}
	}
	token, err := only.value()
	if err != nil {
		return claims.Credentials{}, err
	}
	if strings.HasPrefix(p.prefix, encodedPrefix) {
		decoded, err := base64.RawURLEncoding.Strict().DecodeString(token)
		if err != nil {
			return claims.Credentials{}, errMalformed
		}
		token = string(decoded)
	}
	return claims.Credentials{Scheme: "Bearer", Token: token}, nil
}

// hide keeps the token's subprotocol from the handler. r is the handler's own
// copy, but for its header.
func (p *protocolWay) hide(r *http.Request) {
	var others []string
	for protocol := range offered(r) {
		if !strings.HasPrefix(protocol, p.prefix) {
			others = append(others, protocol)
		}
	}
	r.Header = r.Header.Clone()
	delete(r.Header, protocolField)
	if len(others) > 0 {
		r.Header[protocolField] = []string{strings.Join(others, ", ")}
	}
}

// isHandshake reports whether a request opens a WebSocket, over HTTP/1.1 (RFC
// 6455 section 4.1) or HTTP/2 (RFC 8441 section 5).
func isHandshake(r *http.Request) bool {
	if r.Method == http.MethodConnect {
		return strings.EqualFold(r.Header.Get(":protocol"), "websocket")
	}
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// offered yields the subprotocols that a request offers.
func offered(r *http.Request) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, field := range r.Header[protocolField] {
			for protocol := range strings.SplitSeq(field, ",") {
				if protocol = strings.Trim(protocol, " \t"); protocol != "" && !yield(protocol) {
					return
				}
			}
		}
	}
}
