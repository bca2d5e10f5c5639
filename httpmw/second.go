package httpmw

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/sallyport-go/sallyport/claims"
)

// Second is a further credential of requests, see [Config.Second].
type Second struct {
	// From is where in a request it stands, which is nowhere that another
	// credential of the Config may stand, and not in the body. The zero value
	// is the Authorization field, for a Config whose own From is another place.
	From Place

	// Auth says who it is of: a [*claims.Verifier], or any other. Required.
	Auth claims.Authenticator
}

// authsOf returns who is asked about each further credential.
func authsOf(second map[string]Second) map[string]claims.Authenticator {
	auths := make(map[string]claims.Authenticator, len(second))
	for name, s := range second {
		auths[name] = s.Auth
	}
	return auths
}

// placedApart returns what is wrong with the places of further credentials,
// beside the first.
func placedApart(first Place, second map[string]Second) error {
	var errs []error
	names := slices.Sorted(maps.Keys(second))
	for i, name := range names {
		field, from := fmt.Sprintf("Config.Second[%q].From", name), second[name].From
		errs = append(errs, placed(field, from))
		if slices.ContainsFunc(from.spots(), func(s spot) bool { return s.kind == inForm }) {
			errs = append(errs, fmt.Errorf("%s is the body, which is the handler's by the time "+
				"that a second credential is looked for", field))
		}
		if err := from.collision(first); err != nil {
			errs = append(errs, fmt.Errorf("%s and Config.From %w", field, err))
		}
		for _, other := range names[:i] {
			if err := from.collision(second[other].From); err != nil {
				errs = append(errs,
					fmt.Errorf("%s and Config.Second[%q].From %w", field, other, err))
			}
		}
	}
	return errors.Join(errs...)
}

// place puts the credentials in their places.
func (m *Middleware) place(first Place, second map[string]Second) {
	var others []Place
	for _, s := range second {
		others = append(others, s.From)
	}
	m.from = first.alone(others...)
	if len(second) == 0 {
		return
	}
	m.private = true
	m.second = make(map[string]Place, len(second))
	for name, s := range second {
		m.second[name] = s.From.alone(append(others, first)...)
		m.hidden = m.hidden || s.From.hidden()
	}
}

// secondOf returns what looks for the further credentials of a request.
func (m *Middleware) secondOf(r *http.Request) func(string) (claims.Credentials, error) {
	return func(name string) (claims.Credentials, error) {
		credentials, err := m.second[name].take(r)
		if err == nil {
			credentials.Proof = m.proverOf(r, credentials.Scheme, nil)
		}
		return credentials, err
	}
}

// hide keeps the credentials from the handler where it must not see them.
func (m *Middleware) hide(admitted *http.Request) {
	m.from.hide(admitted)
	for _, p := range m.second {
		p.hide(admitted)
	}
}
