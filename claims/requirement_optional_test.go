package claims_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// none are the credentials of a request that has none.
var none = claims.Credentials{}

// anonymously asks for an operation without a credential.
func anonymously(
	ctx context.Context, guard *claims.Guard, needs claims.Requirement,
) (context.Context, error) {
	return decide(ctx, guard, attempt{Operation: "operation", Needs: needs, Credentials: none})
}

// Who has no credential passes, and is nobody; whoever has one is looked at.
func TestOptional(t *testing.T) {
	t.Parallel()
	record := &record{}
	alice := says(t, m{"sub": "alice"})
	guard := guardOf(t, alice, claims.GuardConfig{Observer: record.observe})

	ctx, err := anonymously(t.Context(), guard, claims.Optional())
	require.NoError(t, err)
	caller, ok := claims.FromContext(ctx)
	assert.False(t, ok)
	assert.Nil(t, caller)
	until, _ := guard.Lasts(ctx)
	assert.True(t, until.IsZero(), "there is no token to expire")
	d := record.take()
	require.Len(t, d, 1)
	assert.Equal(t, "anonymous", d[0].Outcome())
	assert.True(t, d[0].Anonymous)
	assert.False(t, d[0].Remembered)
	assert.Empty(t, d[0].Subject)

	ctx, err = ask(t.Context(), guard, claims.Optional(), nil)
	require.NoError(t, err)
	caller, ok = claims.FromContext(ctx)
	require.True(t, ok)
	assert.Equal(t, "alice", caller.Subject())
	d = record.take()
	require.Len(t, d, 1)
	assert.Equal(t, "allowed", d[0].Outcome())
	assert.False(t, d[0].Anonymous)

	assert.Equal(t, "Optional()", claims.Optional().String())
	assert.True(t, claims.Optional().Equal(claims.Optional()))
	assert.False(t, claims.Optional().Equal(claims.Authenticated()))
	assert.False(t, claims.Optional().Equal(claims.Public()))
	assert.False(t, claims.Optional().IsPublic())
	require.NoError(t, claims.Optional().Validate())
}

// A credential that is there, whatever is wrong with it, is no missing one.
func TestOptional_badCredential(t *testing.T) {
	t.Parallel()
	verifier := permissionVerifier()
	guard, err := claims.NewGuard(verifier, claims.GuardConfig{})
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		credentials claims.Credentials
		class       error
	}{
		"another scheme":  {claims.Credentials{Scheme: "Basic", Token: "YTpi"}, claims.ErrNoToken},
		"no scheme":       {claims.Credentials{Token: "YTpi"}, claims.ErrNoToken},
		"a scheme alone":  {claims.Credentials{Scheme: "Bearer"}, claims.ErrInvalidRequest},
		"not well-formed": {bearer("a b"), claims.ErrInvalidRequest},
		"no token at all": {bearer("abc"), claims.ErrInvalidToken},
		"expired": {bearer(permissionIssuer().Mint(
			claimstest.Token{Claims: m{"exp": 1000}})), claims.ErrInvalidToken},
	} {
		_, err := decide(t.Context(), guard, attempt{Needs: claims.Optional(), Credentials: tt.credentials})
		assertRefusal(t, tt.class, err, name)
	}
	// Nor is a request whose credentials cannot be told.
	_, err = decide(t.Context(), guard, attempt{Needs: claims.Optional(), Fault: claims.NewError(
		claims.ErrInvalidRequest, claims.ReasonSeveralCredentials, nil)})
	assertRefusal(t, claims.ErrInvalidRequest, err)
}

// Without Optional nobody asks the Authenticator about no credential.
func TestOptional_noneElsewhere(t *testing.T) {
	t.Parallel()
	guard := guardOf(t, says(t, m{"sub": "alice", "scope": "read"}), claims.GuardConfig{Permissions: granting(everywhere("p"))})
	for _, needs := range []claims.Requirement{
		claims.Authenticated(), claims.Scopes("read"), claims.Permissions("p"),
		claims.ReportOnly(claims.Scopes("read")), claims.AnyScope("read", "write"),
		claims.All(claims.ReportOnly(claims.Scopes("read"))), yes,
	} {
		_, err := anonymously(t.Context(), guard, needs)
		refusal := assertRefusal(t, claims.ErrNoToken, err, needs)
		assert.Equal(t, claims.ReasonNoToken, refusal.Reason())
		_, err = ask(t.Context(), guard, needs, nil)
		assert.NoError(t, err, needs)
	}
	_, err := anonymously(t.Context(), guard, claims.Scopes("read"))
	assert.Equal(t, "read", claims.AsError(err).Scope())
	_, err = anonymously(t.Context(), nil, claims.Optional())
	assertRefusal(t, claims.ErrUnavailable, err, "a zero Guard refuses everybody")
	_, err = anonymously(t.Context(), new(claims.Guard), claims.Optional())
	assertRefusal(t, claims.ErrUnavailable, err)
}

// Who is anonymous may do no part but what is open to everybody.
func TestOptional_Allowed(t *testing.T) {
	t.Parallel()
	source := &counted{grants: everywhere("p")}
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Permissions: source, Observer: record.observe})
	ctx, err := anonymously(t.Context(), guard, claims.Optional())
	require.NoError(t, err)
	record.take()
	byRequest := claims.RequestFunc("r", func(context.Context, *claims.Claims, any) (bool, error) { return true, nil })
	for _, needs := range []claims.Requirement{
		claims.Authenticated(), claims.Scopes("read"), claims.AnyScope("a", "b"), claims.Permissions("p"),
		claims.AnyPermission("p", "q"), claims.InWorkspace("w", claims.Permissions("p")), yes, byRequest,
		claims.ReportOnly(claims.Scopes("read")), claims.All(claims.Authenticated(), claims.Permissions("p")),
		claims.AnyOf(claims.Scopes("a"), yes), claims.ACR("1"), claims.MaxAge(1e9),
		claims.Second("other", claims.Optional()), claims.Second("other", claims.Authenticated()),
	} {
		refusal := assertRefusal(t, claims.ErrNoToken, claims.Allowed(ctx, needs), needs)
		assert.Empty(t, refusal.Second())
		d := record.take()
		require.Len(t, d, 1)
		assert.Equal(t, "no_token", d[0].Outcome())
		assert.True(t, d[0].Anonymous)
	}
	assert.Zero(t, source.calls())
	assert.NoError(t, claims.Allowed(ctx, claims.Public()))
	assert.NoError(t, claims.Allowed(ctx, claims.Optional()))
	assertRefusal(t, claims.ErrNoToken, claims.Allowed(t.Context(), claims.Optional()),
		"where credentials were not looked at, a bad one may be there")
	assert.NoError(t, claims.Recheck(ctx))
	assert.NoError(t, guard.Recheck(ctx))
}

func TestOptional_Filter(t *testing.T) {
	t.Parallel()
	guard := guardOf(t, says(t, m{"sub": "alice", "scope": "s"}), claims.GuardConfig{})
	items := map[string]claims.Requirement{
		"public": claims.Public(), "optional": claims.Optional(), "any": claims.Authenticated(),
		"scope": claims.Scopes("s"), "own": yes,
	}
	names := []string{"public", "optional", "any", "scope", "own"}
	of := func(name string) claims.Requirement { return items[name] }
	ctx, err := anonymously(t.Context(), guard, claims.Optional())
	require.NoError(t, err)
	kept, err := claims.Filter(ctx, names, of)
	assert.Equal(t, []string{"public", "optional"}, kept)
	assertRefusal(t, claims.ErrNoToken, err)
	kept, err = claims.Filter(ctx, names[:2], of)
	assert.Equal(t, names[:2], kept)
	require.NoError(t, err)

	ctx, err = ask(t.Context(), guard, claims.Optional(), nil)
	require.NoError(t, err)
	kept, err = claims.Filter(ctx, names, of)
	require.NoError(t, err)
	assert.Equal(t, names, kept)
	kept, err = claims.Filter(t.Context(), names, of)
	assert.Equal(t, names[:1], kept, "where nobody looked at credentials")
	assertRefusal(t, claims.ErrNoToken, err)
}

// An operation is tried closed before it is.
func TestOptional_reportOnly(t *testing.T) {
	t.Parallel()
	record := &record{}
	guard := guardOf(t, says(t, m{"sub": "alice"}), claims.GuardConfig{Observer: record.observe})
	needs := claims.All(claims.Optional(), claims.ReportOnly(claims.Scopes("read")))
	require.NoError(t, needs.Validate())
	_, err := anonymously(t.Context(), guard, needs)
	require.NoError(t, err)
	_, err = ask(t.Context(), guard, needs, nil)
	require.NoError(t, err)
	d := record.take()
	require.Len(t, d, 2)
	assert.Equal(t, claims.ErrNoToken, d[0].Reported.Class())
	assert.Equal(t, claims.ErrInsufficientScope, d[1].Reported.Class())
}

// Where it would say nothing, or too much, it is an error at start.
func TestOptional_misplaced(t *testing.T) {
	t.Parallel()
	nested := claims.All(claims.Optional(), claims.Second("other", claims.Authenticated()))
	require.NoError(t, nested.Validate())
	for name, tt := range map[string]struct {
		needs claims.Requirement
		want  string
	}{
		"beside a scope":  {claims.All(claims.Optional(), claims.Scopes("a")), `beside Scopes("a"), which needs the credential`},
		"beside a token":  {claims.All(claims.Authenticated(), claims.Optional()), "beside Authenticated()"},
		"an alternative":  {claims.AnyOf(claims.Scopes("a"), claims.Optional()), "all callers would meet it"},
		"in one":          {claims.AnyOf(claims.Scopes("a"), nested), "Optional cannot be part of AnyOf"},
		"tried":           {claims.ReportOnly(claims.Optional()), "Optional cannot be part of ReportOnly"},
		"in a workspace":  {claims.InWorkspace("w", claims.Optional()), "Optional cannot be part of InWorkspace"},
		"within a wrong":  {claims.All(claims.All(claims.Optional(), claims.Scopes("a"))), "which needs the credential"},
		"public beside":   {claims.All(claims.Public(), claims.Optional()), "Public cannot be part of All"},
		"second, wrongly": {claims.Second("x", claims.All(claims.Optional(), claims.Scopes("a"))), "which needs the credential"},
	} {
		err := tt.needs.Validate()
		require.Error(t, err, name)
		assert.ErrorContains(t, err, tt.want, name)
		guard := guardOf(t, says(t, m{"sub": "alice", "scope": "a"}), claims.GuardConfig{})
		_, err = anonymously(t.Context(), guard, tt.needs)
		assertRefusal(t, claims.ErrNoToken, err, name)
		_, err = ask(t.Context(), guard, tt.needs, nil)
		assert.Error(t, err, name)
	}
	// Together with a requirement of its own around it, it opens nothing.
	both := claims.All(nested, claims.Scopes("a"))
	require.NoError(t, both.Validate())
	guard := guardOf(t, says(t, m{"sub": "alice", "scope": "a"}), claims.GuardConfig{})
	_, err := anonymously(t.Context(), guard, both)
	assertRefusal(t, claims.ErrNoToken, err)
}

// What is missing is told from what is empty.
func TestAbsent(t *testing.T) {
	t.Parallel()
	assert.True(t, claims.Absent(claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil)))
	for _, err := range []error{
		nil, (*claims.Error)(nil), errors.New("none"), claims.ErrNoToken,
		claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, errors.New("empty")),
		claims.NewError(claims.ErrNoToken, claims.ReasonUnsupportedScheme, nil),
		claims.NewError(claims.ErrInvalidRequest, claims.ReasonSeveralCredentials, nil),
	} {
		assert.False(t, claims.Absent(err), "%v", err)
	}
}
