package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// Of two refusals of a weight that of the alternative named first is given,
// though another was checked before.
func TestAnyOf_firstNamed(t *testing.T) {
	t.Parallel()
	weak := decided(false, claims.ErrInsufficientAuthentication)
	for _, tt := range []struct {
		needs claims.Requirement
		class error
	}{
		{claims.AnyOf(weak, claims.Scopes("a")), claims.ErrInsufficientAuthentication},
		{claims.AnyOf(claims.Scopes("a"), weak), claims.ErrInsufficientScope},
		{claims.AnyOf(no, weak, claims.Scopes("a")), claims.ErrInsufficientAuthentication},
	} {
		assertRefusal(t, tt.class, tt.needs.Check(t.Context(), callerWith(t, "")), "%s", tt.needs)
	}
}

func TestAnyOf_precedence(t *testing.T) {
	t.Parallel()
	a, b := claims.Scopes("a"), claims.Scopes("b")
	tooWeak := decided(false, claims.ErrInsufficientAuthentication)
	// Forbidden, and the cause of it says something else.
	denied := decided(false, claims.NewError(
		claims.ErrForbidden, claims.ReasonPermission, claims.ErrUnavailable))
	type list = []claims.Requirement
	for _, tt := range []struct {
		name  string
		needs list
		class error // nil if the caller, who has scope "granted", is allowed
		scope string
	}{
		{name: "first met", needs: list{yes, lost}},
		{name: "last met", needs: list{no, a, claims.Scopes("granted")}},
		{name: "met after undecided", needs: list{lost, yes}},
		{name: "all forbidden", needs: list{no, no}, class: claims.ErrForbidden},
		{name: "first scope", needs: list{a, b}, class: claims.ErrInsufficientScope, scope: "a"},
		{
			name: "scope after forbidden", needs: list{no, b, a},
			class: claims.ErrInsufficientScope, scope: "b",
		},
		{
			name: "scope before forbidden", needs: list{a, no},
			class: claims.ErrInsufficientScope, scope: "a",
		},
		{name: "undecided last", needs: list{no, a, lost}, class: claims.ErrUnavailable},
		{name: "undecided first", needs: list{lost, a, no}, class: claims.ErrUnavailable},
		{
			name: "authentication after forbidden", needs: list{no, tooWeak},
			class: claims.ErrInsufficientAuthentication,
		},
		{
			name: "authentication before forbidden", needs: list{tooWeak, no},
			class: claims.ErrInsufficientAuthentication,
		},
		{
			name: "scope before authentication", needs: list{a, tooWeak},
			class: claims.ErrInsufficientScope, scope: "a",
		},
		{
			name: "scope of All", needs: list{no, claims.All(a, b)},
			class: claims.ErrInsufficientScope, scope: "a b",
		},
		{
			name: "undecided inside All", needs: list{a, claims.All(yes, lost)},
			class: claims.ErrUnavailable,
		},
		{
			name: "forbidden with another cause", needs: list{denied, a},
			class: claims.ErrInsufficientScope, scope: "a",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := claims.AnyOf(tt.needs...).Check(t.Context(), callerWith(t, "granted"))
			if tt.class == nil {
				require.NoError(t, err)
				return
			}
			var refusal *claims.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.scope, refusal.Scope())
		})
	}

	c := &trace{}
	needs := claims.AnyOf(c.of("1", false, nil), c.of("2", true, nil), c.of("3", true, nil))
	require.NoError(t, needs.Check(t.Context(), callerWith(t, "")))
	assert.Equal(t, []string{"1", "2"}, c.calls)
}
