package claims_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// truth is a value of Kleene's logic of three: All is the least, AnyOf the
// greatest.
type truth int

const (
	refused truth = iota
	undecided
	allowed
)

func truthOf(err error) truth {
	switch {
	case err == nil:
		return allowed
	case claims.AsError(err).Class() == claims.ErrUnavailable:
		return undecided
	}
	return refused
}

// tree is a requirement in a form that can be evaluated without the code under
// test.
type tree struct {
	kind      string
	names     []string
	age       int // seconds
	verdict   error
	workspace string
	parts     []*tree
}

// world is all that a requirement can depend on.
type world struct {
	scopes, token []string // token has permissions
	acr           string
	age           int // seconds since the user authenticated, negative for unknown
	source        bool
	down          bool
	grants        claims.Grants
	workspace     string // of the request
}

var errDown = errors.New("secret-cause-text")

func (t *tree) eval(w *world, workspace string) truth {
	every := func(holds func(string) truth) truth {
		least := allowed
		for _, name := range t.names {
			least = min(least, holds(name))
		}
		return least
	}
	is := func(b bool) truth {
		if b {
			return allowed
		}
		return refused
	}
	switch t.kind {
	case "scopes":
		return every(func(name string) truth { return is(slices.Contains(w.scopes, name)) })
	case "acr":
		return is(slices.Contains(t.names, w.acr))
	case "age":
		return is(w.age >= 0 && w.age < t.age)
	case "func", "request":
		if t.verdict == errDown { // of no class
			return undecided
		}
		return truthOf(t.verdict)
	case "permissions":
		return every(func(name string) truth { return w.permits(workspace, name) })
	case "in":
		return t.parts[0].eval(w, t.workspace)
	case "of":
		if w.workspace == "" {
			return refused
		}
		return t.parts[0].eval(w, w.workspace)
	case "report", "anybody":
		return allowed
	case "all":
		least := allowed
		for _, part := range t.parts {
			least = min(least, part.eval(w, workspace))
		}
		return least
	}
	most := refused
	for _, part := range t.parts {
		most = max(most, part.eval(w, workspace))
	}
	return most
}

func (w *world) permits(workspace, permission string) truth {
	switch {
	case workspace == "" && slices.Contains(w.token, permission):
		return allowed
	case !w.source:
		return refused
	case w.down:
		return undecided
	case slices.Contains(w.grants.Permissions, permission),
		workspace != "" && slices.Contains(w.grants.Workspaces[workspace], permission):
		return allowed
	}
	return refused
}

func (t *tree) requirement() claims.Requirement {
	var parts []claims.Requirement
	for _, part := range t.parts {
		parts = append(parts, part.requirement())
	}
	switch t.kind {
	case "scopes":
		return claims.Scopes(t.names...)
	case "acr":
		return claims.ACR(t.names...)
	case "age":
		return claims.MaxAge(time.Duration(t.age) * time.Second)
	case "func":
		return decided(t.verdict == nil, nonForbidden(t.verdict))
	case "request":
		return claims.RequestFunc("request", func(context.Context, *claims.Claims, *message) (bool, error) {
			return t.verdict == nil, nonForbidden(t.verdict)
		})
	case "permissions":
		return claims.Permissions(t.names...)
	case "in":
		return claims.InWorkspace(t.workspace, parts[0])
	case "of":
		return inNamed(parts[0])
	case "report":
		return claims.ReportOnly(parts[0])
	case "anybody":
		return claims.Authenticated()
	case "all":
		return claims.All(parts...)
	}
	return claims.AnyOf(parts...)
}

// nonForbidden returns what a function gives beside false.
func nonForbidden(err error) error {
	if err == claims.ErrForbidden {
		return nil
	}
	return err
}

// leaves counts what can refuse.
func (t *tree) leaves() int {
	n := 0
	for _, part := range t.parts {
		n += part.leaves()
	}
	return max(n, 1)
}

// choices returns the scopes that each choice of alternatives needs, in order.
func (t *tree) choices() [][]string {
	union := func(a, b []string) []string {
		sum := slices.Concat(a, b)
		slices.Sort(sum)
		return slices.Compact(sum)
	}
	switch t.kind {
	case "scopes":
		return [][]string{union(t.names, nil)}
	case "in", "of":
		return t.parts[0].choices()
	case "any":
		var all [][]string
		for _, part := range t.parts {
			all = append(all, part.choices()...)
		}
		return all
	case "all":
		sum := [][]string{nil}
		for _, part := range t.parts {
			var longer [][]string
			for _, more := range part.choices() {
				for _, sofar := range sum {
					longer = append(longer, union(sofar, more))
				}
			}
			sum = longer
		}
		return sum
	}
	return [][]string{nil}
}

// grower makes trees and worlds at random.
type grower struct {
	*rand.Rand
	tame bool // no verdicts by which a client is asked for what does not help
}

func (g grower) some(names ...string) []string {
	g.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names[:1+g.IntN(len(names)-1)]
}

func (g grower) verdict() error {
	verdicts := []error{nil, nil, claims.ErrForbidden, errDown}
	if !g.tame {
		verdicts = append(verdicts, claims.ErrInsufficientScope,
			claims.ErrInsufficientAuthentication, claims.ErrInvalidToken, claims.ErrUnavailable)
	}
	return verdicts[g.IntN(len(verdicts))]
}

func (g grower) permissions() *tree {
	return &tree{kind: "permissions", names: g.some("perm-p", "perm-q", "perm-r")}
}

func (g grower) tree(depth int) *tree {
	if depth == 0 || g.IntN(4) == 0 {
		switch g.IntN(8) {
		case 0, 1:
			return &tree{kind: "scopes", names: g.some("scope-a", "scope-b", "scope-c", "scope-d")}
		case 2:
			// One that they have in common, so that no two exclude each other.
			return &tree{kind: "acr", names: append(g.some("silver", "bronze"), "gold")}
		case 3:
			return &tree{kind: "age", age: 60 * (1 + g.IntN(3))}
		case 4:
			return &tree{kind: "func", verdict: g.verdict()}
		case 5:
			return &tree{kind: "request", verdict: g.verdict()}
		}
		return g.permissions()
	}
	switch g.IntN(9) {
	case 0:
		return &tree{kind: "in", workspace: g.some("w1", "w2", "w3")[0],
			parts: []*tree{{kind: "all", parts: []*tree{g.tree(depth - 1), g.permissions()}}}}
	case 1:
		return &tree{kind: "of", parts: []*tree{{kind: "any", parts: []*tree{g.permissions(), g.tree(depth - 1)}}}}
	case 2:
		return &tree{kind: "all", parts: []*tree{
			{kind: "report", parts: []*tree{g.tree(depth - 1)}}, g.tree(depth - 1), {kind: "anybody"},
		}}
	}
	t := &tree{kind: []string{"all", "any"}[g.IntN(2)]}
	for range 1 + g.IntN(3) {
		t.parts = append(t.parts, g.tree(depth-1))
	}
	return t
}

func (g grower) world() *world {
	w := &world{
		acr: g.some("", "gold", "silver", "bronze", "tin")[0], age: g.IntN(4)*60 - 30,
		source: g.IntN(4) > 0, down: g.IntN(4) == 0, workspace: g.some("", "w1", "w2", "w3")[0],
	}
	if g.IntN(3) > 0 {
		w.scopes = g.some("scope-a", "scope-b", "scope-c", "scope-d", "other")
	}
	if g.IntN(2) > 0 {
		w.token = g.some("perm-p", "perm-q", "perm-r", "other")
	}
	if g.IntN(2) > 0 {
		w.grants.Permissions = g.some("perm-p", "perm-q", "perm-r", "other")
	}
	w.grants.Workspaces = map[string][]string{"w1": g.some("perm-p", "perm-q", "perm-r"), "w2": {"perm-r"}, "": {"perm-p"}}
	return w
}
