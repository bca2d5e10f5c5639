package claims

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const maxQuoted = 200 // a claim may have kilobytes

// compared returns what a check found and what it wanted, for people.
func (e *explainer) compared(c check) (found, wanted string) {
	t, cfg := &e.work.token, &e.v.cfg
	switch c {
	case checkAlgorithm:
		return quote(t.header.algorithm), oneOf(cfg.Algorithms, "any")
	case checkType:
		return e.comparedType()
	case checkTime:
		return e.comparedTime()
	case checkAudience:
		none := "none"
		if cfg.InsecureSkipAudience {
			none = "any"
		}
		return oneOf(t.claims.audience, "none"), oneOf(cfg.Audiences, none)
	case checkClaims:
		return e.comparedClaims()
	case checkKey:
		return "kid " + quote(t.header.keyID), "a key of the issuer that fits " + t.header.algorithm
	case checkSignature:
		return t.header.algorithm, "one made by that key"
	case checkBinding:
		if t.claims.bound {
			return "cnf", "no cnf: a key can not be proven here"
		}
		return "no cnf", ""
	case checkClient:
		return quote(t.claims.clientID), oneOf(cfg.ClientIDs, "any")
	}
	return "", "" // of a check of their own
}

func (e *explainer) comparedType() (found, wanted string) {
	found, wanted = "typ "+quote(e.work.header.tokenType), "typ "+oneOf(e.v.cfg.Types, "any")
	claim, value := e.v.otherKind(&e.work.token)
	values := e.v.cfg.ClaimValues[claim]
	switch {
	case claim == "":
		return found, wanted
	case values == nil:
		return found + ", claim " + quote(claim), wanted + ", and no claim of another kind of token"
	case value == "":
		return found + ", no claim " + quote(claim), quote(claim) + " " + oneOf(values, "")
	}
	return found + ", claim " + quote(claim) + " " + quote(plain(value)),
		quote(claim) + " " + oneOf(values, "")
}

func (e *explainer) comparedTime() (found, wanted string) {
	c, cfg := e.work.claims, &e.v.cfg
	found = "exp " + moment(c.expiresAt)
	if !c.notBefore.IsZero() {
		found += ", nbf " + moment(c.notBefore)
	}
	if !c.issuedAt.IsZero() {
		found += ", iat " + moment(c.issuedAt)
	}
	wanted = fmt.Sprintf("now %s within %v", moment(e.now), cfg.Leeway)
	if cfg.MaxTokenAge > 0 {
		wanted += fmt.Sprintf(", issued at most %v ago", cfg.MaxTokenAge)
	}
	if cfg.MaxLifetime > 0 {
		wanted += fmt.Sprintf(", valid for at most %v", cfg.MaxLifetime)
	}
	return found, wanted
}

func (e *explainer) comparedClaims() (found, wanted string) {
	if lacking := e.v.lacking(&e.work.token); lacking != nil {
		return "no " + strings.Join(lacking, " or "), strings.Join(e.v.cfg.RequiredClaims, ", ")
	}
	return strings.Join(e.v.cfg.RequiredClaims, ", "), ""
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "missing"
	}
	return t.UTC().Format(time.RFC3339)
}

func oneOf(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = quote(s)
	}
	return clip(strings.Join(words, " or "))
}

// quote makes what a sender wrote fit to be shown on a terminal, and what looks
// like another letter seen for what it is.
func quote(s string) string { return clip(strconv.QuoteToASCII(s)) }

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return s[:maxQuoted] + "..."
}

// String is for people. It has only what this package acts on.
func (h header) String() string {
	if h == (header{}) {
		return ""
	}
	return fmt.Sprintf("alg %s, kid %s, typ %s", quote(h.algorithm), quote(h.keyID), quote(h.tokenType))
}
