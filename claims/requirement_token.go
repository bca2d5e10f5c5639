package claims

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Scopes needs every one of the scopes (RFC 6749 section 3.3), compared
// exactly. The token has them, or others that imply them by [Config].ScopeMap.
func Scopes(all ...string) Requirement { return valid(newScopes("Scopes", all)) }

// AnyScope needs at least one of the scopes. A refusal asks for the first, so
// name first what a client should ask its token for.
func AnyScope(scopes ...string) Requirement {
	alternatives := make([]Requirement, len(scopes))
	for i, scope := range scopes {
		alternatives[i] = valid(newScopes("AnyScope", []string{scope}))
	}
	return valid(newAnyOf("AnyScope", quoted(scopes), alternatives))
}

// scopes is all of a list of scopes.
type scopes struct {
	single
	text    text
	name    string
	all     []string
	refusal *Error
}

func newScopes(name string, all []string) *scopes {
	all = slices.Clone(all)
	return &scopes{
		name: name, all: all, refusal: wants{scopes: all}.refusal(ErrInsufficientScope),
	}
}

func (s *scopes) check(q *query) error {
	for _, scope := range s.all {
		if !q.call.caller.HasScope(scope) {
			return s.refusal
		}
	}
	return nil
}

func (s *scopes) wants(*query, []string) wants { return wants{scopes: s.all} }
func (s *scopes) local() bool                  { return true }

func (s *scopes) String() string {
	return s.text.or(func() string { return s.name + "(" + quoted(s.all) + ")" })
}

func (s *scopes) equal(other rule) bool {
	o, ok := other.(*scopes)
	return ok && slices.Equal(s.all, o.all)
}

func (s *scopes) validate() error {
	if len(s.all) == 0 {
		return fmt.Errorf("claims: %s needs at least one scope", s.name)
	}
	var errs []error
	for _, scope := range s.all {
		if !isScope(scope) {
			errs = append(errs, fmt.Errorf(
				"claims: %s: %q is not a scope (RFC 6749 section 3.3)", s.name, scope))
		}
	}
	return errors.Join(errs...)
}

// ACR needs the user to have authenticated by one of the authentication
// contexts, "acr" in the token, compared exactly (RFC 9470 section 6.2). A
// refusal is [ErrInsufficientAuthentication] and asks for any of them, in the
// order given: the preferred one first.
func ACR(values ...string) Requirement {
	values = slices.Clone(values)
	return valid(&acr{
		values: values, refusal: wants{acr: values}.refusal(ErrInsufficientAuthentication),
	})
}

type acr struct {
	single
	text    text
	values  []string
	refusal *Error
}

func (a *acr) check(q *query) error {
	if !slices.Contains(a.values, q.call.caller.acr) { // no value is empty
		return a.refusal
	}
	return nil
}

func (a *acr) wants(*query, []string) wants { return wants{acr: a.values} }
func (a *acr) local() bool                  { return true }

func (a *acr) String() string {
	return a.text.or(func() string { return "ACR(" + quoted(a.values) + ")" })
}

func (a *acr) equal(other rule) bool {
	o, ok := other.(*acr)
	return ok && slices.Equal(a.values, o.values)
}

func (a *acr) validate() error {
	if len(a.values) == 0 {
		return errors.New("claims: ACR needs at least one value")
	}
	var errs []error
	for _, value := range a.values {
		if !isScope(value) { // as acr_values are separated by spaces too
			errs = append(errs, fmt.Errorf(
				"claims: ACR: %q cannot be one of acr_values (RFC 9470 section 3)", value))
		}
	}
	return errors.Join(errs...)
}

// MaxAge needs the user to have authenticated at most this long ago, in whole
// seconds: "auth_time" in the token (RFC 9470 section 6.2), compared with this
// machine's clock without any leeway. A token without it, or with one more than
// 5 minutes ahead, is refused with [ErrInsufficientAuthentication].
func MaxAge(d time.Duration) Requirement {
	return valid(&maxAge{
		most: d, refusal: wants{maxAge: d}.refusal(ErrInsufficientAuthentication),
	})
}

type maxAge struct {
	single
	text    text
	most    time.Duration
	refusal *Error
}

func (m *maxAge) check(q *query) error {
	at := q.call.caller.authTime
	if at.IsZero() {
		return m.refusal
	}
	if age := time.Since(at); age > m.most || age < -maxLeeway {
		return m.refusal
	}
	return nil
}

func (m *maxAge) wants(*query, []string) wants { return wants{maxAge: m.most} }
func (m *maxAge) local() bool                  { return true }

func (m *maxAge) String() string {
	return m.text.or(func() string { return "MaxAge(" + m.most.String() + ")" })
}

func (m *maxAge) equal(other rule) bool {
	o, ok := other.(*maxAge)
	return ok && m.most == o.most
}

func (m *maxAge) validate() error {
	if m.most < time.Second || m.most%time.Second != 0 {
		return fmt.Errorf("claims: MaxAge of %s is not a whole number of seconds, one or more",
			m.most)
	}
	return nil
}

func quoted(list []string) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(s))
	}
	return b.String()
}
