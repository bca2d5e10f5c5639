package claims

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// way is a set of conditions, all of which together meet a requirement.
// Requirements only ever ask for something, never for its absence: so one is
// implied by another if each way of the other has one of its own in it.
type way map[condition]struct{}

// condition is one thing that a requirement can ask for. What is put together
// of functions is known by name alone.
type condition struct {
	credential string // empty for the first
	kind       conditionKind
	value      string
	where      string        // the workspace, as the requirement has it
	within     time.Duration // of what has to be recent
}

type conditionKind int

const (
	hasToken conditionKind = iota
	hasNone                // no credential, which excludes hasToken
	hasScope
	hasPermission
	hasACR
	isRecent // the authentication
	isFresh  // the news
	isMet    // what is known by its text alone
)

const maxWays = 1000 // of one requirement; more are not compared

// waysOf returns the ways in which an operation's requirement is met, each
// without those that need more. It reports false if they are too many.
func waysOf(t term) ([]way, bool) {
	if t.name == "EndsWithToken" || t.name == "MayOutlive" {
		if len(t.parts) == 1 {
			t = t.parts[0]
		}
	}
	return credentialWays(t, "")
}

// credentialWays are those of a requirement that is about a credential, and no
// part of another about it.
func credentialWays(t term, credential string) ([]way, bool) {
	if t.name == "Public" {
		return []way{{}}, true
	}
	ways, ok := innerWays(t, credential, "")
	if !ok {
		return nil, false
	}
	token := condition{credential: credential, kind: hasToken}
	none := condition{credential: credential, kind: hasNone}
	for _, w := range ways {
		if _, anonymous := w[none]; !anonymous {
			w[token] = struct{}{}
		}
	}
	return least(ways), true
}

func innerWays(t term, credential, where string) ([]way, bool) {
	of := func(kind conditionKind, value string) condition {
		c := condition{credential: credential, kind: kind, value: value}
		if kind == hasPermission || kind == isMet { // the others know no workspace
			c.where = where
		}
		return c
	}
	all := func(kind conditionKind) []way {
		w := way{}
		for _, word := range t.words {
			w[of(kind, word)] = struct{}{}
		}
		return []way{w}
	}
	each := func(kind conditionKind) []way {
		var ways []way
		for _, word := range t.words {
			ways = append(ways, way{of(kind, word): {}})
		}
		return ways
	}
	recent := func(kind conditionKind) ([]way, bool) {
		within, err := time.ParseDuration(t.bare)
		if err != nil {
			return nil, false
		}
		return []way{{{credential: credential, kind: kind, within: within}: {}}}, true
	}
	switch t.name {
	case "Authenticated":
		return []way{{of(hasToken, ""): {}}}, true
	case "Optional":
		return []way{{of(hasToken, ""): {}}, {of(hasNone, ""): {}}}, true
	case "ReportOnly":
		return []way{{}}, true
	case "Scopes":
		return all(hasScope), true
	case "AnyScope":
		return each(hasScope), true
	case "Permissions":
		return all(hasPermission), true
	case "AnyPermission":
		return each(hasPermission), true
	case "ACR":
		return each(hasACR), true
	case "MaxAge":
		return recent(isRecent)
	case "FreshWithin":
		return recent(isFresh)
	case "All":
		return product(t.parts, credential, where)
	case "AnyOf":
		return sum(t.parts, credential, where)
	case "InWorkspace", "InWorkspaceOf":
		if len(t.parts) == 1 && len(t.words) == 1 {
			return innerWays(t.parts[0], credential, t.name+" "+t.words[0])
		}
	case "Second":
		if len(t.parts) == 1 && len(t.words) == 1 {
			return credentialWays(t.parts[0], t.words[0])
		}
	}
	return []way{{of(isMet, t.String()): {}}}, true
}

func sum(parts []term, credential, where string) (ways []way, ok bool) {
	for _, part := range parts {
		more, ok := innerWays(part, credential, where)
		if !ok || len(ways)+len(more) > maxWays {
			return nil, false
		}
		ways = append(ways, more...)
	}
	return least(ways), true
}

func product(parts []term, credential, where string) ([]way, bool) {
	ways := []way{{}}
	for _, part := range parts {
		more, ok := innerWays(part, credential, where)
		if !ok || len(ways)*len(more) > maxWays {
			return nil, false
		}
		var both []way
		for _, w := range ways {
			for _, m := range more {
				joined := maps.Clone(w)
				maps.Copy(joined, m)
				if joined.isPossible() {
					both = append(both, joined)
				}
			}
		}
		ways = least(both)
	}
	return ways, true
}

// isPossible reports whether one request can have all the conditions.
func (w way) isPossible() bool {
	acr := map[string]string{}
	for f := range w {
		switch f.kind {
		case hasNone:
			for other := range w {
				if other.credential == f.credential && other.kind != hasNone {
					return false
				}
			}
		case hasACR:
			if value, found := acr[f.credential]; found && value != f.value {
				return false
			}
			acr[f.credential] = f.value
		}
	}
	return true
}

// least returns the ways without those that need all of another, and more.
func least(ways []way) []way {
	var kept []way
	for i, w := range ways {
		if !slices.ContainsFunc(kept, func(k way) bool { return w.has(k) }) &&
			!slices.ContainsFunc(ways[i+1:], func(k way) bool { return w.has(k) && !k.has(w) }) {
			kept = append(kept, w)
		}
	}
	return kept
}

// has reports whether the conditions of a way imply all of another.
func (w way) has(other way) bool {
	for f := range other {
		if _, found := w[f]; found {
			continue
		}
		if f.within == 0 || !w.hasWithin(f) {
			return false
		}
	}
	return true
}

// hasWithin reports whether something is at least as recent.
func (w way) hasWithin(f condition) bool {
	for own := range w {
		if own.kind == f.kind && own.credential == f.credential && own.within > 0 &&
			own.within <= f.within {
			return true
		}
	}
	return false
}

// String returns the text that the term was read from.
func (t term) String() string {
	var args []string
	if len(t.words) > 0 {
		args = append(args, quoted(t.words))
	}
	if t.bare != "" {
		args = append(args, t.bare)
	}
	for _, part := range t.parts {
		args = append(args, part.String())
	}
	return t.name + "(" + strings.Join(args, ", ") + ")"
}
