package claims_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

func growing(t *testing.T, tame bool) grower {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return grower{rand.New(rand.NewPCG(seed, seed)), tame}
}

// guard returns one that lives in the world.
func (w *world) guard(t *testing.T, observer claims.Observer) *claims.Guard {
	members := m{"sub": "alice", "scope": append([]string{}, w.scopes...), "permissions": append([]string{}, w.token...), "acr": w.acr}
	if w.age >= 0 {
		members["auth_time"] = time.Now().Unix() - int64(w.age)
	}
	cfg := claims.GuardConfig{Observer: observer}
	if w.source {
		cfg.Permissions = source(func(context.Context, claims.Principal) (claims.Grants, error) {
			if w.down {
				return claims.Grants{}, errDown
			}
			return w.grants, nil
		})
	}
	return guardOf(t, permitted(t, members), cfg)
}

func (w *world) ask(t *testing.T, guard *claims.Guard, needs claims.Requirement) error {
	_, err := ask(t.Context(), guard, needs, &message{w.workspace})
	return err
}

// What comes of a requirement is what Kleene's logic says, whatever it is made
// of; also where what looks at the request is put off.
func TestAlgebra_outcome(t *testing.T) {
	t.Parallel()
	g := growing(t, false)
	count := map[truth]int{}
	for range 1500 {
		w := g.world()
		guard := w.guard(t, nil)
		for range 2 {
			tree := g.tree(3)
			needs := tree.requirement()
			if needs.Validate() != nil {
				continue
			}
			want := tree.eval(w, "")
			count[want]++
			require.Equal(t, want, truthOf(w.ask(t, guard, needs)), "%s of %+v", needs, *w)

			ctx, err := decide(t.Context(), guard, attempt{Needs: needs, Credentials: presented, Pending: true})
			pending := err == nil && guard.IsPending(ctx)
			if pending {
				err = guard.Complete(ctx, &message{w.workspace})
			} else if err == nil {
				require.Equal(t, allowed, want, "decided at once: %s of %+v", needs, *w)
			}
			require.Equal(t, want == allowed, err == nil, "put off: %s of %+v: %v", needs, *w, err)
			if pending {
				require.Equal(t, want, truthOf(err), "put off: %s of %+v", needs, *w)
				assertRefusal(t, claims.ErrForbidden, guard.Complete(ctx, &message{w.workspace}), "twice")
			}
		}
	}
	for _, outcome := range []truth{refused, undecided, allowed} {
		assert.Greater(t, count[outcome], 100, "too few to tell")
	}
}

func TestAlgebra_laws(t *testing.T) {
	t.Parallel()
	g := growing(t, false)
	all, anyOf := claims.All, claims.AnyOf
	checked := 0
	for range 1200 {
		w := g.world()
		guard := w.guard(t, nil)
		a, b, c := g.tree(2).requirement(), g.tree(2).requirement(), g.tree(2).requirement()
		for _, law := range []struct {
			name        string
			left, right claims.Requirement
		}{
			{name: "All commutes", left: all(a, b), right: all(b, a)},
			{name: "AnyOf commutes", left: anyOf(a, b), right: anyOf(b, a)},
			{name: "All associates", left: all(a, all(b, c)), right: all(all(a, b), c)},
			{name: "All, flat", left: all(a, all(b, c)), right: all(a, b, c)},
			{name: "AnyOf associates", left: anyOf(a, anyOf(b, c)), right: anyOf(anyOf(a, b), c)},
			{name: "AnyOf, flat", left: anyOf(a, anyOf(b, c)), right: anyOf(a, b, c)},
			{name: "All is idempotent", left: all(a, a), right: a},
			{name: "AnyOf is idempotent", left: anyOf(a, a), right: a},
			{name: "All absorbs", left: all(a, anyOf(a, b)), right: a},
			{name: "AnyOf absorbs", left: anyOf(a, all(a, b)), right: a},
			{name: "All distributes", left: all(a, anyOf(b, c)), right: anyOf(all(a, b), all(a, c))},
			{name: "AnyOf distributes", left: anyOf(a, all(b, c)), right: all(anyOf(a, b), anyOf(a, c))},
			{name: "Authenticated adds nothing", left: all(a, claims.Authenticated()), right: a},
			{name: "ReportOnly adds nothing", left: all(a, claims.ReportOnly(b)), right: a},
		} {
			if law.left.Validate() != nil || law.right.Validate() != nil {
				continue
			}
			checked++
			require.Equal(t, truthOf(w.ask(t, guard, law.left)), truthOf(w.ask(t, guard, law.right)),
				"%s: %s and %s of %+v", law.name, law.left, law.right, *w)
		}
	}
	assert.Greater(t, checked, 10_000)
}

// Who does what a refusal asks for, and has all else as it was, gets further
// each time. A refusal asks for the scopes of one choice of alternatives and
// for no more, and has neither a permission nor a cause in it.
func TestAlgebra_refusals(t *testing.T) {
	t.Parallel()
	g := growing(t, true)
	asked := 0
	for range 3000 {
		tree, w := g.tree(3), g.world()
		needs, choices := tree.requirement(), tree.choices()
		if needs.Validate() != nil {
			continue
		}
		for round := 0; ; round++ {
			record := &record{}
			err := w.ask(t, w.guard(t, record.observe), needs)
			require.Equal(t, tree.eval(w, ""), truthOf(err), "%s of %+v", needs, *w)
			if err == nil {
				break
			}
			refusal := err.(*claims.Error)
			shown := refusal.Error() + refusal.Text() + refusal.Scope() + refusal.ACRValues()
			require.NotContains(t, shown, "perm-")
			require.NotContains(t, shown, errDown.Error())
			scopes := strings.Fields(refusal.Scope())
			slices.Sort(scopes)
			require.Equal(t, slices.Compact(slices.Clone(scopes)), scopes, "each once")
			class := refusal.Class()
			if class != claims.ErrInsufficientScope && class != claims.ErrInsufficientAuthentication {
				require.Empty(t, shown[len(refusal.Error()+refusal.Text()):])
				require.Zero(t, refusal.MaxAge())
				break
			}
			require.True(t, slices.ContainsFunc(choices, func(choice []string) bool {
				return slices.Equal(choice, scopes)
			}), "%q is no choice of %s", scopes, needs)
			asked++
			before := *w
			w.comply(g, refusal)
			require.False(t, before.acr == w.acr && before.age == w.age && slices.Equal(before.scopes, w.scopes),
				"%s asks %+v for what they have: %q %q %s", needs, before, scopes, refusal.ACRValues(), refusal.MaxAge())
			require.Less(t, round, tree.leaves(), "it goes on and on: %s of %+v", needs, *w)
		}
	}
	assert.Greater(t, asked, 500, "too few to tell")
}

// comply is what a client does that is refused so.
func (w *world) comply(g grower, refusal *claims.Error) {
	w.scopes = slices.Clone(w.scopes)
	for _, scope := range strings.Fields(refusal.Scope()) {
		if !slices.Contains(w.scopes, scope) {
			w.scopes = append(w.scopes, scope)
		}
	}
	if values := strings.Fields(refusal.ACRValues()); len(values) > 0 && !slices.Contains(values, w.acr) {
		w.acr = values[g.IntN(len(values))]
	}
	if most := int(refusal.MaxAge() / time.Second); most > 0 && (w.age < 0 || w.age >= most) {
		w.age = 0
	}
}

// Where values of acr exclude each other, there is a way to the end as well.
func TestAlgebra_exclusiveACR(t *testing.T) {
	t.Parallel()
	acr := func(values ...string) claims.Requirement { return claims.ACR(values...) }
	for name, needs := range map[string]claims.Requirement{
		"the alternative before": claims.All(claims.AnyOf(acr("g"), acr("s")), acr("s")),
		"the alternative behind": claims.All(acr("s"), claims.AnyOf(acr("g"), acr("s"))),
		"two choices":            claims.All(claims.AnyOf(acr("g"), acr("s")), claims.AnyOf(acr("s"), acr("t"))),
		"a scope instead": claims.All(
			claims.AnyOf(acr("s"), claims.Scopes("c")), claims.AnyOf(acr("g"), acr("t"))),
		"in a workspace": claims.All(claims.AnyOf(acr("g"), acr("s")),
			claims.InWorkspace("w", claims.All(claims.Permissions("p"), acr("s")))),
		"one for a scope": claims.All(
			claims.AnyOf(claims.All(acr("g"), claims.Scopes("c")), acr("s")), acr("s", "t")),
	} {
		for _, start := range []string{"", "g", "s", "t"} {
			t.Run(name+" of "+start, func(t *testing.T) {
				t.Parallel()
				require.NoError(t, needs.Validate())
				w := &world{acr: start, age: -1, source: true, grants: everywhere("p")}
				g := grower{rand.New(rand.NewPCG(1, 1)), true}
				for range 4 {
					err := w.ask(t, w.guard(t, nil), needs)
					if err == nil {
						return
					}
					w.comply(g, err.(*claims.Error))
				}
				t.Errorf("%s asks for acr %q of who has it", needs, w.acr)
			})
		}
	}
}
