package httpmw

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// OneOf returns the place that is one of several, of which a request fills one
// at most, such as a cookie for browsers and Authorization, the zero Place, for
// programs. A request that fills two is refused with
// [claims.ErrInvalidRequest], even if both hold the same token (RFC 6750
// section 2): else whoever can set one of them would choose whose the request
// is. Each place is looked at in every request.
func OneOf(places ...Place) Place { return Place{oneOf(places)} }

type oneOf []Place

func (o oneOf) spots() []spot {
	var spots []spot
	for _, p := range o {
		spots = append(spots, p.spots()...)
	}
	return spots
}

func (o oneOf) validate() error {
	var errs []error
	if len(o) == 0 {
		errs = append(errs, errors.New("OneOf of no Place"))
	}
	for i, p := range o {
		errs = append(errs, p.validate())
		for j, other := range o[:i] {
			if err := p.collision(other); err != nil {
				errs = append(errs, fmt.Errorf("OneOf: places %d and %d %w", j, i, err))
			}
		}
	}
	return errors.Join(errs...)
}

func (o oneOf) take(r *http.Request) (claims.Credentials, error) {
	var taken claims.Credentials
	var none error
	filled := 0
	for _, p := range o {
		credentials, err := p.take(r)
		switch {
		case err == nil:
			taken = credentials
			filled++
		case !errors.Is(err, claims.ErrNoToken):
			return claims.Credentials{}, err
		case none == nil || claims.Absent(none): // what is there says more
			none = err
		}
	}
	switch {
	case filled > 1:
		return claims.Credentials{}, errSeveral
	case filled == 0:
		return claims.Credentials{}, none
	}
	return taken, nil
}

func (o oneOf) hide(r *http.Request) {
	for _, p := range o {
		p.hide(r)
	}
}

// hider is a way that keeps the credential from the handler.
type hider interface{ hide(r *http.Request) }

// hide keeps the credential from the handler where it must not see it. r is the
// handler's own copy, but for its header and its body.
func (p Place) hide(r *http.Request) {
	if h, ok := p.way.(hider); ok {
		h.hide(r)
	}
}

// alone returns the place such that a token in the Authorization field beside
// one in it is one too many (RFC 6750 section 2), unless the Authorization
// field is another credential's, or the place is a field too: what a proxy
// adds, it adds to what its client sent.
func (p Place) alone(others ...Place) Place {
	if p.isField() {
		return p
	}
	for _, other := range append([]Place{p}, others...) {
		if other.collision(Place{}) != nil {
			return p
		}
	}
	return Place{&aloneWay{p}}
}

// isField reports whether a place is header fields alone.
func (p Place) isField() bool {
	for _, s := range p.spots() {
		if s.kind != inHeader {
			return false
		}
	}
	return true
}

// aloneWay is a place beside which no other is filled.
type aloneWay struct{ Place }

func (a *aloneWay) take(r *http.Request) (claims.Credentials, error) {
	credentials, err := a.Place.take(r)
	if err != nil {
		return claims.Credentials{}, err
	}
	for _, field := range r.Header[authorization.name] {
		scheme, _, _ := strings.Cut(field, " ")
		if strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "DPoP") {
			return claims.Credentials{}, errSeveral
		}
	}
	return credentials, nil
}
