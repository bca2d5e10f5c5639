package claims

import (
	"slices"
	"strings"
	"time"
)

// wants is what a client has to ask its next token for: the content of a
// challenge.
type wants struct {
	scopes []string      // all of them
	acr    []string      // one of them; empty for any
	maxAge time.Duration // zero for any
}

func (w wants) isEmpty() bool { return len(w.scopes) == 0 && len(w.acr) == 0 && w.maxAge == 0 }

// goesWith reports whether one token can have both.
func (w wants) goesWith(acr []string) bool {
	return len(w.acr) == 0 || len(acr) == 0 ||
		slices.ContainsFunc(w.acr, func(value string) bool { return slices.Contains(acr, value) })
}

// total is what several requirements want together. Each costs what it adds.
type total struct {
	wants
	seen map[string]struct{} // the scopes, once they are many
}

const manyScopes = 8 // from which on a map finds one sooner than a look at each

func (t *total) addScopes(scopes []string) {
	for _, scope := range scopes {
		if !t.has(scope) {
			t.scopes = append(t.scopes, scope)
		}
	}
}

// has reports whether a scope is in the total, and takes note of one that is
// about to be.
func (t *total) has(scope string) bool {
	if len(t.scopes) < manyScopes {
		return slices.Contains(t.scopes, scope)
	}
	if t.seen == nil {
		t.seen = make(map[string]struct{}, 2*len(t.scopes))
		for _, known := range t.scopes {
			t.seen[known] = struct{}{}
		}
	}
	before := len(t.seen)
	t.seen[scope] = struct{}{}
	return len(t.seen) == before
}

// narrow adds what is wanted of the authentication, as far as one token can
// have it.
func (t *total) narrow(w wants) {
	t.acr = narrowACR(t.acr, w.acr)
	if t.maxAge == 0 || w.maxAge != 0 && w.maxAge < t.maxAge {
		t.maxAge = w.maxAge
	}
}

// narrowACR returns the values that meet both, none for any, or the first if
// none does.
func narrowACR(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	if common := intersection(a, b); len(common) > 0 {
		return common
	}
	return a
}

// refusal returns the refusal that asks for what is wanted: of class
// ErrInsufficientScope or ErrInsufficientAuthentication.
func (w wants) refusal(class error) *Error {
	refusal := &Error{
		class: class, reason: defaultReason(class), scope: strings.Join(w.scopes, " "),
	}
	if class == ErrInsufficientAuthentication {
		refusal.acr, refusal.maxAge = strings.Join(w.acr, " "), w.maxAge
	}
	return refusal
}

// wanted returns what a refusal asks for.
func wanted(refusal *Error) wants {
	return wants{strings.Fields(refusal.scope), strings.Fields(refusal.acr), refusal.maxAge}
}

func intersection(a, b []string) []string {
	var common []string
	for _, s := range a {
		if slices.Contains(b, s) {
			common = append(common, s)
		}
	}
	return common
}

// isScope reports whether s is a scope-token.
func isScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}
