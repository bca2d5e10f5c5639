package httpmw_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// nilSource is a PermissionSource whose pointer may be nil.
type nilSource struct{}

func (*nilSource) Permissions(context.Context, claims.Principal) (claims.Grants, error) {
	return claims.Grants{}, nil
}

// What was forgotten is said where it was forgotten, in the words that were
// typed.
func TestMistakes_panicWhereTheyAreMade(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	mux := httpmw.NewServeMux(auth)
	var zeroMux httpmw.ServeMux
	var zero httpmw.Middleware
	const (
		notMade     = "the Middleware was not made by New"
		muxNotMade  = "httpmw: ServeMux was not made by NewServeMux"
		needsScope  = "claims: Scopes needs at least one scope"
		nilAuth     = "httpmw: New: auth is nil"
		nilPointer  = "httpmw: New: auth is a nil pointer, as a constructor returns beside an error"
		noRealm     = `httpmw: New: Config.Realm of "\n" must be printable ASCII`
		nilSourceIs = "httpmw: New: Config.Permissions is a nil pointer"
	)
	source := httpmw.Config{Permissions: (*nilSource)(nil)}
	for name, row := range map[string]struct {
		mistake func()
		want    string
	}{
		"New, nil":              {func() { httpmw.New(nil, httpmw.Config{}) }, nilAuth},
		"New, nil Verifier":     {func() { httpmw.New((*claims.Verifier)(nil), httpmw.Config{}) }, nilPointer},
		"New, nil own":          {func() { httpmw.New((*nobody)(nil), httpmw.Config{}) }, nilPointer},
		"New, nil source":       {func() { httpmw.New(nobody{}, source) }, nilSourceIs},
		"New, zero Verifier":    {func() { httpmw.New(&claims.Verifier{}, httpmw.Config{}) }, "httpmw: New: auth was not made by its constructor"},
		"New, zero cache":       {func() { httpmw.New(nobody{}, httpmw.Config{Permissions: &claims.PermissionCache{}}) }, "httpmw: New: Config.Permissions was not made by NewPermissionCache"},
		"New, everything":       {func() { httpmw.New(nil, httpmw.Config{Permissions: (*nilSource)(nil), Realm: "\n"}) }, nilAuth + "\n" + nilSourceIs + "\n" + noRealm},
		"New, nil cache":        {func() { httpmw.New(nobody{}, httpmw.Config{Permissions: (*claims.PermissionCache)(nil)}) }, nilSourceIs},
		"Require, invalid":      {func() { auth.Require(claims.Scopes()) }, "httpmw: Require: " + needsScope},
		"Require, no handler":   {func() { auth.Require(claims.Public())(nil) }, "httpmw: Require: the next handler is nil"},
		"Require, nil function": {func() { auth.Require(claims.Public())(http.HandlerFunc(nil)) }, "httpmw: Require: the next handler is nil"},
		"Wrap, no handler":      {func() { auth.Wrap(nil) }, "httpmw: Wrap: the next handler is nil"},
		"Wrap, nil function":    {func() { auth.Wrap(http.HandlerFunc(nil)) }, "httpmw: Wrap: the next handler is nil"},
		"Require, zero":         {func() { zero.Require(claims.Public()) }, "httpmw: Require: " + notMade},
		"Require, nil":          {func() { (*httpmw.Middleware)(nil).Require(claims.Public()) }, "httpmw: Require: " + notMade},
		"Wrap, zero":            {func() { zero.Wrap(&spy{}) }, "httpmw: Wrap: " + notMade},
		"NewServeMux, nil":      {func() { httpmw.NewServeMux(nil) }, "httpmw: NewServeMux: " + notMade},
		"NewServeMux, zero":     {func() { httpmw.NewServeMux(&zero) }, "httpmw: NewServeMux: " + notMade},
		"Handle, zero":          {func() { zeroMux.Handle("/", claims.Public(), &spy{}) }, muxNotMade},
		"Handle, nil":           {func() { (*httpmw.ServeMux)(nil).Handle("/", claims.Public(), &spy{}) }, muxNotMade},
		"HandleFunc, zero":      {func() { zeroMux.HandleFunc("/", claims.Public(), nil) }, muxNotMade},
		"Handle, invalid":       {func() { mux.Handle("GET /a", claims.Scopes(), &spy{}) }, "httpmw: GET /a: " + needsScope},
		"Handle, no handler":    {func() { mux.Handle("GET /a", claims.Public(), nil) }, "httpmw: GET /a: nil handler"},
		"HandleFunc, nil":       {func() { mux.HandleFunc("GET /a", claims.Public(), nil) }, "httpmw: GET /a: nil handler"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.PanicsWithValue(t, row.want, row.mistake)
		})
	}
	assert.Panics(t, func() { mux.Handle("GET  /a{", claims.Public(), &spy{}) })
	assert.Empty(t, mux.Operations(), "what was refused is no route")
}

// A permission that neither tokens nor a source can grant is named where it is
// asked for, and not by a 403 for everybody.
func TestMistakes_permissionThatNothingGrants(t *testing.T) {
	t.Parallel()
	auth := httpmw.New(plainVerifier(t, "https://a.example", nil), httpmw.Config{})
	mux := httpmw.NewServeMux(auth)
	x := claims.Permissions("x")
	const never = ` can never be met: no token grants "x" by Config.PermissionClaims ` +
		`and PermissionMap, and there is no PermissionSource`
	assert.PanicsWithValue(t, `httpmw: Require: claims: Permissions("x")`+never, func() { auth.Require(x) })
	assert.PanicsWithValue(t, `httpmw: GET /x: claims: All(Scopes("s"), Permissions("x"))`+never, func() {
		mux.Handle("GET /x", claims.All(claims.Scopes("s"), x), &spy{})
	})
	assert.Empty(t, mux.Operations())
	assert.NotPanics(t, func() {
		auth.Require(claims.AnyOf(claims.Scopes("s"), x))
		httpmw.New(nobody{}, httpmw.Config{}).Require(x) // who knows what its claims are
		httpmw.New(plainVerifier(t, "https://a.example", []string{"permissions"}), httpmw.Config{}).Require(x)
		source := httpmw.Config{Permissions: &nilSource{}}
		httpmw.New(plainVerifier(t, "https://a.example", nil), source).Require(claims.InWorkspace("w", x))
	})
}

// plainVerifier returns one of an issuer that nobody asks.
func plainVerifier(t *testing.T, issuer string, permissions []string) *claims.Verifier {
	t.Helper()
	verifier, err := claims.NewVerifier(plainConfig(issuer, permissions))
	require.NoError(t, err)
	return verifier
}

func plainConfig(issuer string, permissions []string) claims.Config {
	return claims.Config{
		Issuer: issuer, Audiences: []string{"https://orders.example"}, PermissionClaims: permissions,
	}
}

// What was not made by its constructor serves nobody, a public operation
// included.
func TestMistakes_failClosed(t *testing.T) {
	t.Parallel()
	for name, mux := range map[string]*httpmw.ServeMux{"zero": {}, "nil": nil} {
		got := get(t, mux)
		assert.Equal(t, http.StatusServiceUnavailable, got.status, name)
		assert.Contains(t, got.body, `"reason":"undecided"`, name)
	}
	for name, auth := range map[string]*httpmw.Middleware{"zero": {}, "nil": nil} {
		for _, needs := range []claims.Requirement{claims.Public(), claims.Authenticated()} {
			_, err := auth.Admit(httptest.NewRequest(http.MethodGet, "/", nil), needs)
			require.ErrorIs(t, err, claims.ErrUnavailable, name)
			recorder := httptest.NewRecorder()
			auth.Refuse(recorder, httptest.NewRequest(http.MethodGet, "/", nil), err)
			assert.Equal(t, http.StatusServiceUnavailable, recorder.Code, name)
			recorder = httptest.NewRecorder()
			auth.Refuse(recorder, httptest.NewRequest(http.MethodGet, "/", nil), claims.ErrNoToken)
			assert.Equal(t, `Bearer realm="api"`, recorder.Header().Get("WWW-Authenticate"), name)
		}
	}
}
