package claims

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// compared returns what a check found and what it wanted, for people.
func (e *explainer) compared(name string) CheckResult {
	c := CheckResult{Name: name}
	c.Found, c.Wanted = e.comparedForm(name)
	if e.work.v != nil && c == (CheckResult{Name: name}) {
		c.Found, c.Wanted = e.comparedClaim(name)
	}
	return c
}

// comparedForm is compared for the checks that need no issuer.
func (e *explainer) comparedForm(name string) (found, wanted string) {
	w := e.work
	text := w.text()
	switch name {
	case "form":
		return fmt.Sprintf("%d bytes, %d segments", len(text), bytes.Count(text, []byte("."))+1),
			fmt.Sprintf("at most %d bytes, 3 segments", w.issuers.sizes())
	case "header":
		return w.header.String(), "strict base64url and JSON, a signature by " +
			w.accepted.String() + ", no crit"
	case "payload":
		wanted = "strict base64url and JSON, claims of the right types, none twice"
		if w.claims != nil {
			found = fmt.Sprintf("%d bytes", len(w.claims.payload))
		}
		return found, wanted
	case "issuer":
		return quote(w.claims.issuer), w.issuers.wanted()
	}
	return "", ""
}

// comparedClaim is compared for the checks by an issuer's rules.
func (e *explainer) comparedClaim(name string) (found, wanted string) {
	w := e.work
	switch name {
	case "algorithm":
		return quote(w.header.algorithm), oneOf(w.v.algorithms, "any")
	case "type":
		return e.comparedType()
	case "time":
		return e.comparedTime()
	case "audience":
		none := "none"
		if w.v.skipAudience {
			none = "any"
		}
		return oneOf(w.claims.audience, "none"), oneOf(w.v.audiences, none)
	case "claims":
		return e.comparedClaims()
	case "key":
		return "kid " + quote(w.header.keyID), "a key of the issuer that fits " + w.header.algorithm
	case "signature":
		return w.header.algorithm, "one made by that key"
	case "client":
		return quote(w.claims.clientID), oneOf(w.v.clientIDs, "any")
	case "binding":
		return e.comparedBinding()
	}
	return "", "" // of a check of their own
}

func (e *explainer) comparedBinding() (found, wanted string) {
	switch w := e.work; {
	case w.claims.cnf == "":
		return "no cnf", ""
	case len(w.v.confirmers) == 0:
		return "cnf", "no cnf: a key cannot be proven here"
	}
	found = "cnf " + clip(quoteRaw(e.work.claims.cnf))
	if scheme, err := e.work.provable(); err == nil {
		return found, "a proof in the request, presented as " + scheme
	}
	var members []string
	for _, c := range e.work.v.confirmers {
		members = append(members, c.member)
	}
	return found, "no member but " + oneOf(members, "")
}

func (e *explainer) comparedType() (found, wanted string) {
	found, wanted = "typ "+quote(e.work.header.tokenType), "typ "+oneOf(e.work.v.types, "any")
	claim, value := e.work.otherKind()
	var values []string
	for _, c := range e.work.v.values {
		if c.claim == claim {
			values = c.values
		}
	}
	switch {
	case claim == "":
		return found, wanted
	case values == nil:
		return found + ", claim " + quote(claim), wanted + ", and no claim of another kind of token"
	case value == "":
		return found + ", no claim " + quote(claim), quote(claim) + " " + oneOf(values, "")
	}
	return found + ", claim " + quote(claim) + " " + quote(strict.Plain(value)),
		quote(claim) + " " + oneOf(values, "")
}

func (e *explainer) comparedTime() (found, wanted string) {
	c, v := e.work.claims, e.work.v
	found = "exp " + moment(c.expiresAt)
	if !c.notBefore.IsZero() {
		found += ", nbf " + moment(c.notBefore)
	}
	if !c.issuedAt.IsZero() {
		found += ", iat " + moment(c.issuedAt)
	}
	wanted = fmt.Sprintf("now %s within %v", moment(e.work.now), v.leeway)
	if v.maxTokenAge > 0 {
		wanted += fmt.Sprintf(", issued at most %v ago", v.maxTokenAge)
	}
	if v.maxLifetime > 0 {
		wanted += fmt.Sprintf(", valid for at most %v", v.maxLifetime)
	}
	return found, wanted
}

func (e *explainer) comparedClaims() (found, wanted string) {
	var required []string
	for _, claim := range e.work.v.required {
		required = append(required, strings.Join(claim.names, "|"))
	}
	if name, of := e.work.variant(); of != "" {
		return "claim " + quote(name), "no name that differs from " + quote(of) + " in case alone"
	}
	if lacking := e.work.lacking(); lacking != nil {
		found = "no " + strings.Join(lacking.names, " or ")
		for _, name := range lacking.names {
			if value, ok := e.work.members.Find(name); ok { // and says nothing
				found += ": it is " + clip(quoteRaw(value))
				break
			}
		}
		return found, strings.Join(required, ", ")
	}
	return strings.Join(required, ", "), ""
}

// String is for people. It has only what this package acts on.
func (h header) String() string {
	if h == (header{}) {
		return ""
	}
	return fmt.Sprintf("alg %s, kid %s, typ %s",
		quote(h.algorithm), quote(h.keyID), quote(h.tokenType))
}
