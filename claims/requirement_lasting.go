package claims

import (
	"fmt"
	"time"
)

// EndsWithToken is needs, for an operation whose answer lasts: when the
// caller's token stops being accepted, or is revoked, the request ends. Its
// context is done with the refusal as its cause, and nothing is written any
// more. So it ends on the page [lasting.md], which says how it does for
// server-sent events, WebSocket and others.
//
// HTTP requests go on without it, as most end by themselves long before.
// Streams of gRPC end with their token anyway, unless [MayOutlive] says
// otherwise.
//
// It cannot be part of another requirement.
//
// [lasting.md]: https://github.com/sallyport-go/sallyport/blob/main/claims/lasting.md
func EndsWithToken(needs Requirement) Requirement {
	return valid(&lasts{name: "EndsWithToken", needs: needs})
}

// MayOutlive is needs, for an operation that may go on when the caller's token
// has expired, as a stream of gRPC may not otherwise. News that the token is
// revoked ends it all the same, and so does a requirement that is not met any
// more. Over HTTP it is for an answer that lasts, such as a download that news
// may stop, though not the age of its token.
//
// It cannot be part of another requirement.
func MayOutlive(needs Requirement) Requirement {
	return valid(&lasts{name: "MayOutlive", outlives: true, needs: needs})
}

// EndsWithToken reports whether r is one of [EndsWithToken].
func (r Requirement) EndsWithToken() bool {
	l, ok := r.rule.(*lasts)
	return ok && !l.outlives
}

// MayOutlive reports whether r is one of [MayOutlive].
func (r Requirement) MayOutlive() bool {
	l, ok := r.rule.(*lasts)
	return ok && l.outlives
}

// lasts is a requirement with a word about how long what it lets through lasts.
type lasts struct {
	text     text
	name     string
	outlives bool
	needs    Requirement
}

func (l *lasts) check(q *query) error               { return l.needs.check(q) }
func (l *lasts) wants(q *query, acr []string) wants { return l.needs.wants(q, acr) }
func (l *lasts) local() bool                        { return l.needs.local() }
func (l *lasts) within() time.Duration              { return l.needs.within() }
func (l *lasts) meetable() bool                     { return l.needs.meetable() }
func (l *lasts) admits() bool                       { return l.needs.admitsAnonymous() }
func (l *lasts) parts() []Requirement               { return []Requirement{l.needs} }
func (l *lasts) fits(any) error                     { return nil }

func (l *lasts) String() string {
	return l.text.or(func() string { return l.name + "(" + l.needs.String() + ")" })
}

func (l *lasts) equal(other rule) bool {
	o, ok := other.(*lasts)
	return ok && l.outlives == o.outlives && l.needs.Equal(o.needs)
}

func (l *lasts) validate() error {
	if l.needs.IsPublic() {
		return fmt.Errorf("claims: %s of Public, which has no token to end with", l.name)
	}
	if inner, ok := l.needs.rule.(*lasts); ok {
		return fmt.Errorf("claims: %s of %s: an operation is one or the other", l.name, inner.name)
	}
	return l.needs.Validate()
}

// ofOperation marks a rule that cannot be part of another.
func (l *lasts) ofOperation() string { return l.name }
