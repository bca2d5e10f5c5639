package boundclient

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"golang.org/x/oauth2"
)

// Transport is an [http.RoundTripper] that proves each request by DPoP. It is
// safe for concurrent use once it is set up.
type Transport struct {
	// Key is what tokens are bound to. Required.
	Key *Key

	// Source has the tokens, each bound to Key. Nil means that requests have
	// none: those for tokens.
	Source oauth2.TokenSource

	// Base sends the requests. Nil means [http.DefaultTransport].
	Base http.RoundTripper

	nonces nonces
}

// RoundTrip sends a request with its token and a proof. If the server wants a
// nonce, it sends it a second time, unless its body cannot be sent again.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	token := ""
	if t.Source != nil {
		// The one token for both, as the server has not refused it.
		has, err := t.Source.Token()
		if err != nil {
			closeBody(r)
			return nil, err
		}
		token = has.AccessToken
	}
	origin := r.URL.Scheme + "://" + r.URL.Host
	nonce := t.nonces.of(origin)
	response, err := t.send(r, token, nonce)
	if err != nil {
		return nil, err
	}
	next := t.nonces.learn(origin, response.Header.Get("DPoP-Nonce"))
	if !wantsNonce(response) || next == "" || next == nonce {
		return response, nil
	}
	again, err := repeat(r)
	if err != nil {
		return response, nil // the next request has the nonce
	}
	_, _ = io.CopyN(io.Discard, response.Body, 64<<10) // so that the connection can be used again
	_ = response.Body.Close()
	if response, err = t.send(again, token, next); err != nil {
		return nil, err
	}
	t.nonces.learn(origin, response.Header.Get("DPoP-Nonce"))
	return response, nil
}

func (t *Transport) send(r *http.Request, token, nonce string) (*http.Response, error) {
	proof, err := t.Key.Prove(r.Method, r.URL, token, nonce)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	proven := r.Clone(r.Context()) // a RoundTripper must not modify the request
	proven.Header.Set("DPoP", proof)
	if token != "" {
		proven.Header.Set("Authorization", "DPoP "+token)
	}
	if t.Base != nil {
		return t.Base.RoundTrip(proven)
	}
	return http.DefaultTransport.RoundTrip(proven)
}

// wantsNonce reports whether a server asks for a proof with its nonce: a
// resource by its challenge (RFC 9449 section 9), and an authorization server
// by an error that is in the body, which is not read (section 8).
func wantsNonce(response *http.Response) bool {
	switch response.StatusCode {
	case http.StatusBadRequest:
		return response.Header.Get("WWW-Authenticate") == "" &&
			response.Header.Get("DPoP-Nonce") != ""
	case http.StatusUnauthorized:
		return asksForNonce(response.Header["Www-Authenticate"])
	}
	return false
}

func asksForNonce(challenges []string) bool {
	return strings.Contains(strings.Join(challenges, ","), `error="use_dpop_nonce"`)
}

var errOnce = errors.New("boundclient: the body can be sent once")

// repeat returns the request with its body from the beginning.
func repeat(r *http.Request) (*http.Request, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	if r.GetBody == nil {
		return nil, errOnce
	}
	body, err := r.GetBody()
	if err != nil {
		return nil, err
	}
	again := r.Clone(r.Context())
	again.Body = body
	return again, nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// nonces has the newest nonce of each server.
type nonces struct {
	mu     sync.Mutex
	byName map[string]string
}

func (n *nonces) of(server string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.byName[server]
}

// learn takes note of a nonce, and returns it.
func (n *nonces) learn(server, nonce string) string {
	if nonce == "" {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byName == nil {
		n.byName = map[string]string{}
	}
	n.byName[server] = nonce
	return nonce
}
