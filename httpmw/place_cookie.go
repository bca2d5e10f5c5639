package httpmw

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

const inCookie spotKind = "the cookie"

// FromCookie returns the place that is a cookie of that name, whose value is
// the token and nothing else. For browsers alone: a program can send an
// Authorization field.
//
// A browser sends a cookie with whatever request any page makes it send, so
// that a token there does not say that its owner meant the request (cross-site
// request forgery). Therefore origins is required: a request with the cookie
// that it refuses is refused with [claims.ErrForbidden] and
// [claims.ReasonCrossOrigin]. It lets pass what comes from the same origin,
// from the origins that it was told to trust, and from what is no browser, and
// every GET, HEAD and OPTIONS request, so that no handler of these may change
// anything. The handshake of a WebSocket, a GET, is checked as a POST is, as a
// page of any origin may open one.
//
// A cookie that is there twice, as a neighbouring subdomain can bring about, is
// refused with [claims.ErrInvalidRequest]; browsers keep others from setting
// one whose name begins with "__Host-". Set it with HttpOnly, so that no script
// reads the token, Secure and SameSite.
//
// A request that has a Bearer or DPoP token in its Authorization field as well
// has two credentials and is refused: "Clients MUST NOT use more than one
// method" (RFC 6750 section 2). Other schemes there, such as Basic for a proxy,
// are not looked at. An API that takes either says [OneOf].
func FromCookie(name string, origins *http.CrossOriginProtection) Place {
	return Place{&cookieWay{name, origins}}
}

type cookieWay struct {
	name    string
	origins *http.CrossOriginProtection
}

func (c *cookieWay) spots() []spot { return []spot{{inCookie, c.name}} }

func (c *cookieWay) validate() error {
	var errs []error
	if !isToken(c.name) {
		errs = append(errs, fmt.Errorf("FromCookie: the name %q must be a token "+
			"(RFC 6265 section 4.1.1)", c.name))
	}
	if c.origins == nil {
		errs = append(errs, errors.New("FromCookie: origins is nil: any page could have "+
			"a browser send the cookie (try http.NewCrossOriginProtection())"))
	}
	return errors.Join(errs...)
}

func (c *cookieWay) take(r *http.Request) (claims.Credentials, error) {
	token, err := valueOf(r.Header["Cookie"], c.name)
	if err != nil {
		return claims.Credentials{}, err
	}
	if err := c.origins.Check(asUnsafe(r)); err != nil {
		return claims.Credentials{}, claims.NewError(claims.ErrForbidden,
			claims.ReasonCrossOrigin, err)
	}
	return claims.Credentials{Scheme: "Bearer", Token: token}, nil
}

// valueOf returns the value of the cookie of a name (RFC 6265 section 5.4).
func valueOf(fields []string, name string) (string, error) {
	var only lone
	for _, field := range fields {
		for pair := range strings.SplitSeq(field, ";") {
			key, value, _ := strings.Cut(textproto.TrimString(pair), "=")
			if textproto.TrimString(key) != name { // all as net/http does
				continue
			}
			if n := len(value); n >= 2 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			only.found(value)
		}
	}
	return only.value()
}

// asUnsafe returns the request as one that may change something, if it opens a
// connection on which anything may be said.
func asUnsafe(r *http.Request) *http.Request {
	if r.Header.Get("Upgrade") == "" {
		return r
	}
	opening := r.WithContext(r.Context())
	opening.Method = http.MethodPost
	return opening
}

// lone is a value of which there must be one.
type lone struct {
	last  string
	count int
}

func (l *lone) found(value string) {
	l.last = value
	l.count++
}

func (l *lone) value() (string, error) {
	switch {
	case l.count > 1:
		return "", errSeveral
	case l.count == 0:
		return "", errNoToken
	case l.last == "":
		return "", errEmpty
	}
	return l.last, nil
}

var (
	errNoToken = claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil)
	errEmpty   = claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, errors.New(
		"httpmw: there is room for a credential, and it is empty"))
	errSeveral   = claims.NewError(claims.ErrInvalidRequest, claims.ReasonSeveralCredentials, nil)
	errMalformed = claims.NewError(claims.ErrInvalidRequest, claims.ReasonMalformedCredentials, nil)
)
