package httpmw

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// Place is where in a request a credential stands, see [Config.From]. The zero
// value is the Authorization field (RFC 6750 section 2.1), which is where a
// token belongs unless there is no choice: caches, logs and browsers know that
// what stands there is secret. The other places are made by functions of this
// package, each of which says what its place is exposed to. What is wrong with
// a Place is reported by [New], which panics.
//
// A place holds at most one credential: a field that is there twice is refused
// with [claims.ErrInvalidRequest]. No shared cache stores the response to a
// request with an Authorization field by itself (RFC 9111 section 3.5), but any
// may where the token is elsewhere: what a handler answers has Cache-Control:
// private then, unless it, or a middleware outside, sets that field.
type Place struct{ way way }

// way is how the credential is taken from its place. It is safe for concurrent
// use.
type way interface {
	// take returns the credential. The error matches claims.ErrNoToken if there
	// is none, and is otherwise a refusal of the request.
	take(r *http.Request) (claims.Credentials, error)

	// spots are the parts of a request that it looks at.
	spots() []spot

	// validate returns what is wrong with it.
	validate() error
}

// spot is a part of a request in which a credential can stand.
type spot struct {
	kind spotKind
	name string // of the field, the cookie, the parameter
}

type spotKind string

const inHeader spotKind = "the field"

func (s spot) String() string { return string(s.kind) + " " + s.name }

// collides reports whether one credential could be found in both spots.
func (s spot) collides(other spot) bool {
	if s.kind == inProtocol && other.kind == inProtocol {
		return strings.HasPrefix(s.name, other.name) || strings.HasPrefix(other.name, s.name)
	}
	return s == other
}

// authorization is the spot of the zero Place.
var authorization = spot{inHeader, "Authorization"}

// take returns the credential that a request has in this place.
func (p Place) take(r *http.Request) (claims.Credentials, error) {
	if p.way == nil {
		return httpauth.Parse(r.Header["Authorization"])
	}
	return p.way.take(r)
}

func (p Place) spots() []spot {
	if p.way == nil {
		return []spot{authorization}
	}
	return p.way.spots()
}

func (p Place) validate() error {
	if p.way == nil {
		return nil
	}
	return p.way.validate()
}

// isStandard reports whether a place is Authorization alone.
func (p Place) isStandard() bool {
	for _, s := range p.spots() {
		if s != authorization {
			return false
		}
	}
	return true
}

// hidden reports whether a place is to be kept from handlers.
func (p Place) hidden() bool {
	for _, s := range p.spots() {
		if s.kind == inProtocol {
			return true
		}
	}
	return false
}

// keepPrivate says to caches what the request does not (RFC 9111 section
// 5.2.2.7), unless somebody has said more.
func keepPrivate(header http.Header) {
	if len(header["Cache-Control"]) == 0 {
		header["Cache-Control"] = []string{"private"}
	}
}

// placed returns what is wrong with the Place of a Config's field, each mistake
// on a line that begins with the field's name.
func placed(field string, p Place) error {
	err := p.validate()
	if err == nil {
		return nil
	}
	return errors.New(field + ": " + strings.ReplaceAll(err.Error(), "\n", "\n"+field+": "))
}

// collision returns where two places would find the same credential, nil if
// they cannot.
func (p Place) collision(other Place) error {
	for _, s := range p.spots() {
		for _, o := range other.spots() {
			if s.collides(o) {
				return fmt.Errorf("both look at %v", s)
			}
		}
	}
	return nil
}

// FromHeader returns the place that is a header field of that name, in any
// case. With an empty scheme the field is the token and nothing else; "Bearer"
// means that it has the form of an Authorization field; any other scheme, such
// as "Token", is the only one accepted and stands before the token.
//
// A field of another name is as good as Authorization against browsers, which
// send neither by themselves, and worse elsewhere: what logs requests may not
// know that it is secret, and a proxy may pass on what a client sent under the
// name of a field that the proxy is trusted to set. A token is verified
// wherever it stands, so that no client gains by that more than its token is
// worth. What the Authorization field holds then is not looked at.
func FromHeader(name, scheme string) Place {
	return Place{&headerWay{name, http.CanonicalHeaderKey(name), scheme}}
}

// headerWay is a header field.
type headerWay struct{ typed, name, scheme string }

func (h *headerWay) take(r *http.Request) (claims.Credentials, error) {
	return httpauth.ParseAs(h.scheme, r.Header[h.name])
}

func (h *headerWay) spots() []spot { return []spot{{inHeader, h.name}} }

// taken are the fields that mean something else, so that a token in them would
// be read by others, or never arrive: net/http takes Host, Trailer and
// Transfer-Encoding out of the header.
var taken = []string{
	"Connection", "Content-Length", "Content-Type", "Cookie", "Dpop", "Host",
	"Sec-Websocket-Protocol", "Trailer", "Transfer-Encoding", "Upgrade",
}

func (h *headerWay) validate() error {
	var errs []error
	if !isToken(h.typed) {
		errs = append(errs, fmt.Errorf("FromHeader: the name %q must be a token "+
			"(RFC 9110 section 5.1)", h.typed))
	}
	if slices.Contains(taken, h.name) {
		errs = append(errs, fmt.Errorf("FromHeader: the field %s means something else", h.name))
	}
	_, err := httpauth.NewChallenge(httpauth.ChallengeConfig{Scheme: h.scheme})
	if err != nil {
		errs = append(errs, fmt.Errorf("FromHeader: the scheme %q must be a token "+
			"(RFC 9110 section 11.1) of at most 32 characters", h.scheme))
	}
	return errors.Join(errs...)
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	other := func(c rune) bool {
		return (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (c < '0' || '9' < c) &&
			!strings.ContainsRune("!#$%&'*+-.^_`|~", c)
	}
	return s != "" && strings.IndexFunc(s, other) < 0
}
