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
func (w wants) goesWith(other wants) bool {
	return len(w.acr) == 0 || len(other.acr) == 0 || len(intersection(w.acr, other.acr)) > 0
}

// and returns what meets both, as far as one token can.
func (w wants) and(other wants) wants {
	sum := wants{slices.Clip(w.scopes), w.acr, w.maxAge}
	for _, scope := range other.scopes {
		if !slices.Contains(sum.scopes, scope) {
			sum.scopes = append(sum.scopes, scope)
		}
	}
	switch common := intersection(w.acr, other.acr); {
	case len(w.acr) == 0:
		sum.acr = other.acr
	case len(common) > 0:
		sum.acr = common
	}
	if w.maxAge == 0 || other.maxAge != 0 && other.maxAge < w.maxAge {
		sum.maxAge = other.maxAge
	}
	return sum
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
