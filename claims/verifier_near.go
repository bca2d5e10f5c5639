package claims

import (
	"fmt"
	"strings"
)

// maxCompared is with how many issuers one that is not trusted is compared, so
// that forged tokens cost no more the more are trusted.
const maxCompared = 32

// nearIssuerError says that a token's issuer is one that is trusted but for its
// spelling: the likeliest mistake in a Config. It has nothing that the token
// says.
type nearIssuerError struct{ trusted, how string }

func (e *nearIssuerError) Error() string {
	return fmt.Sprintf("claims: iss differs from the trusted issuer %q in %s", e.trusted, e.how)
}

// untrusted is the refusal of a token whose issuer is not trusted.
func (w *work) untrusted() error {
	if t, how := w.issuers.nearest(w.claims.issuer, maxCompared); t != nil {
		return NewError(ErrInvalidToken, ReasonIssuer, &nearIssuerError{t.issuer, how})
	}
	return errIssuer
}

// spellings are ways in which one issuer is written, each with what makes them
// one.
var spellings = []struct {
	name    string
	unified func(issuer string) string
}{
	{"white space around it", strings.TrimSpace},
	{"case", strings.ToLower},
	{"the path of its metadata", func(issuer string) string {
		return strings.TrimSuffix(issuer, "/.well-known/openid-configuration")
	}},
	{"the final slash", func(issuer string) string { return strings.TrimSuffix(issuer, "/") }},
	{"the scheme", func(issuer string) string {
		if _, rest, ok := strings.Cut(issuer, "://"); ok {
			return rest
		}
		return issuer
	}},
	{"the port", func(issuer string) string {
		start := strings.Index(issuer, "://") + 1
		for _, port := range []string{":443", ":80"} {
			i := start + strings.Index(issuer[start:], port)
			if end := i + len(port); i >= start && (end == len(issuer) || issuer[end] == '/') {
				return issuer[:i] + issuer[end:]
			}
		}
		return issuer
	}},
}

// unify returns how an issuer is written in one way, but for one of the
// spellings.
func unify(issuer string, but int) string {
	for i, s := range spellings {
		if i != but {
			issuer = s.unified(issuer)
		}
	}
	return issuer
}

// differsIn says in what an issuer that is not trusted differs from the
// one that is, if that is a matter of spelling.
func (v *trust) differsIn(issuer string) string {
	trusted := v.issuer
	if t := v.template; t != nil {
		// With the segment filled in, whatever its case.
		start, end := len(t.prefix), len(issuer)-len(t.suffix)
		for _, extra := range []int{0, 1, -1} { // a slash more or less
			if from, to := start, end+extra; from < to && to <= len(issuer) &&
				!strings.Contains(issuer[from:to], "/") {
				filled := t.prefix + issuer[from:to] + t.suffix
				if filled != issuer && unify(filled, -1) == unify(issuer, -1) {
					trusted = filled
				}
			}
		}
		if trusted == v.issuer {
			return ""
		}
	}
	const mostMore = len("https://:443/.well-known/openid-configuration ") // of it
	if issuer == trusted || len(issuer) > len(trusted)+mostMore ||
		unify(issuer, -1) != unify(trusted, -1) {
		return ""
	}
	var ways []string
	for i, s := range spellings {
		if unify(issuer, i) != unify(trusted, i) {
			ways = append(ways, s.name)
		}
	}
	return strings.Join(ways, " and ")
}
