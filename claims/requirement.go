package claims

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Requirement is what an operation needs of its caller. The zero value is
// [Authenticated]. A Requirement is immutable and safe for concurrent use.
//
// A Requirement that was put together wrongly, such as [Scopes] of nothing,
// refuses everybody, and [Requirement.Validate] says why. Transports validate
// each requirement when they are given it.
type Requirement struct{ rule rule }

// rule is the inside of a Requirement, nil for Authenticated.
type rule interface {
	fmt.Stringer
	// check returns nil or an *Error.
	check(q *query) error
	// wants returns what a client has to ask its token for, which has to have
	// one of these acr besides if there are any: the caller that is asked
	// about, or any client if q is nil.
	wants(q *query, acr []string) wants
	// local reports whether the token alone decides.
	local() bool
	equal(rule) bool
	validate() error
	// parts returns the requirements that it is put together of.
	parts() []Requirement
	// fits says why it cannot look at requests of this type, nil if it can.
	fits(request any) error
}

// single is a rule without parts that looks at no request.
type single struct{}

func (single) parts() []Requirement { return nil }
func (single) fits(any) error       { return nil }

// each calls f for r and every requirement inside it.
func (r Requirement) each(f func(Requirement)) {
	f(r)
	if r.rule == nil {
		return
	}
	for _, part := range r.rule.parts() {
		part.each(f)
	}
}

// Public needs nothing. Credentials of a request are not looked at, so a bad
// token does no harm and the handler finds no claims. It cannot be part of
// another requirement.
func Public() Requirement { return Requirement{public{}} }

// Authenticated needs a valid token and no more.
func Authenticated() Requirement { return Requirement{} }

// IsPublic reports whether r is [Public].
func (r Requirement) IsPublic() bool { return r.rule == public{} }

// scope returns the space-separated scopes that a client should ask its token
// for to meet r: those of the first alternative if there are several, empty if
// r needs no scope. It is the "scope" of a challenge (RFC 6750 section 3).
func (r Requirement) scope() string { return strings.Join(r.wants(nil, nil).scopes, " ") }

// String returns r as it would be written in Go, without the package name.
func (r Requirement) String() string {
	if r.rule == nil {
		return "Authenticated()"
	}
	return r.rule.String()
}

// MarshalText returns what String does.
func (r Requirement) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Equal reports whether r and other are the same requirement, put together of
// the same parts in the same order. A requirement that holds a function, such
// as [Func], is equal to itself alone, as functions cannot be compared: compare
// the Strings if the name is enough.
func (r Requirement) Equal(other Requirement) bool {
	if r.rule == nil {
		return other.rule == nil
	}
	return r.rule.equal(other.rule)
}

// Validate returns what is wrong with r, nil if nothing is.
func (r Requirement) Validate() error {
	if r.rule == nil {
		return nil
	}
	return r.rule.validate()
}

// validateFor is Validate for an operation whose requests are of the type that
// request is: (*http.Request)(nil), or an empty message. It also returns an
// error if a [RequestFunc] or an [InWorkspaceOf] looks at requests of another
// type.
func (r Requirement) validateFor(request any) error {
	return errors.Join(r.Validate(), r.fitsAll(request))
}

func (r Requirement) fitsAll(request any) error {
	var errs []error
	r.each(func(part Requirement) {
		if part.rule == nil {
			return
		}
		if err := part.rule.fits(request); err != nil {
			errs = append(errs, fmt.Errorf("claims: %s %w", part, err))
		}
	})
	return errors.Join(errs...)
}

// anonymously is a rule that may be met without the credential. Whatever is
// none is not even asked about who is anonymous: the refusal is that there is
// no token.
type anonymously interface {
	// meetable reports whether it can be met without the credential.
	meetable() bool
	// admits reports whether it says that the credential may be missing, and
	// can be met then.
	admits() bool
}

func (r Requirement) meetable() bool {
	rule, ok := r.rule.(anonymously)
	return ok && rule.meetable()
}

// admitsAnonymous reports whether an operation may be asked for without a
// credential.
func (r Requirement) admitsAnonymous() bool {
	rule, ok := r.rule.(anonymously)
	return ok && rule.admits()
}

// dated is a rule that may not be decided by what is older.
type dated interface{ within() time.Duration }

// within returns how old what is decided by may be, zero for any age.
func (r Requirement) within() time.Duration {
	if rule, ok := r.rule.(dated); ok {
		return rule.within()
	}
	return 0
}

// youngest returns the least that any of the requirements says.
func youngest(list []Requirement) (d time.Duration) {
	for _, r := range list {
		if within := r.within(); within > 0 && (d == 0 || within < d) {
			d = within
		}
	}
	return d
}

// decide is check for a requirement that is not part of another.
func (r Requirement) decide(q *query) error {
	q.within = r.within()
	if q.call.anonymous && !r.admitsAnonymous() {
		return errNoToken
	}
	return r.check(q)
}

func (r Requirement) check(q *query) error {
	if q.call.anonymous && !r.meetable() {
		return errNoToken
	}
	if r.rule == nil {
		return nil
	}
	return r.rule.check(q)
}

func (r Requirement) wants(q *query, acr []string) wants {
	if r.rule == nil {
		return wants{}
	}
	return r.rule.wants(q, acr)
}

func (r Requirement) local() bool { return r.rule == nil || r.rule.local() }

// valid returns the Requirement of a rule, or one that refuses everybody if the
// rule is wrong.
func valid(r rule) Requirement {
	if err := r.validate(); err != nil {
		return Requirement{&invalid{r, err}}
	}
	return Requirement{r}
}

// invalid is a rule that was put together wrongly.
type invalid struct {
	rule
	err error
}

func (*invalid) check(*query) error           { return errPermission }
func (*invalid) wants(*query, []string) wants { return wants{} }
func (*invalid) local() bool                  { return true }
func (i *invalid) validate() error            { return i.err }

func (i *invalid) parts() []Requirement { return []Requirement{{i.rule}} }
func (*invalid) fits(any) error         { return nil }

func (i *invalid) equal(other rule) bool {
	o, ok := other.(*invalid)
	return ok && i.rule.equal(o.rule)
}

type public struct{ single }

func (public) check(*query) error           { return nil }
func (public) wants(*query, []string) wants { return wants{} }
func (public) local() bool                  { return true }
func (public) equal(other rule) bool        { return other == public{} }
func (public) validate() error              { return nil }
func (public) String() string               { return "Public()" }

// forOperation returns e as the refusal of an operation: a client that needs
// another token is told which scope to ask for.
func (e *Error) forOperation(needs Requirement) *Error {
	if e.class != ErrNoToken && e.class != ErrInvalidToken || e.scope != "" || e.second != "" {
		return e
	}
	scope := needs.scope()
	if scope == "" {
		return e
	}
	asking := *e
	asking.scope = scope
	return &asking
}
