package statictoken_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// A caller is what the line of their token says.
func TestTokens_caller(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	token := add(t, path, statictoken.Token{
		Subject: "nightly", Client: "import", Scopes: []string{"orders:read", "orders:admin"},
		Permissions: []string{"clerk"}, Expires: expires, Note: "a note",
	})
	tokens := newTokens(t, statictoken.Config{
		File: path, Issuer: "https://ops.example", ScopeMap: map[string][]string{"orders:admin": {"orders:write"}},
		PermissionMap: map[string][]string{"clerk": {"orders:refund"}},
	})
	for range 2 {
		caller, err := tokens.Authenticate(t.Context(), bearer(token))
		require.NoError(t, err)
		assert.Equal(t, "nightly", caller.Subject())
		assert.Equal(t, "import", caller.ClientID())
		assert.Equal(t, "https://ops.example", caller.Issuer())
		assert.Equal(t, []string{"orders:read", "orders:admin", "orders:write"}, caller.Scopes())
		assert.Equal(t, []string{"orders:refund"}, caller.Permissions())
		assert.True(t, expires.Equal(caller.ExpiresAt()))
		assert.True(t, expires.Equal(caller.ValidUntil()), "without leeway: the clock is ours")
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", caller, *caller, caller), token)
		*caller = claims.Claims{} // it is this request's own
	}
	for range 3 {
		plain := add(t, path, statictoken.Token{})
		assert.Regexp(t, `\Asallyport_[0-9A-Za-z]{39}\z`, plain)
	}
}

// Whatever is wrong with a token, it is told for what it is, and the outcome is
// a bad token.
func TestTokens_refused(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	good := add(t, path, statictoken.Token{Note: "good"})
	elsewhere := add(t, newPath(t), statictoken.Token{})
	gone := add(t, path, statictoken.Token{Note: "gone"})
	inside := add(t, path, statictoken.Token{Networks: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32"),
	}})
	other, err := statictoken.AddToFile(path, "other", statictoken.Token{Subject: "x"})
	require.NoError(t, err)
	drop(t, path, `"gone"`)
	tokens := newTokens(t, statictoken.Config{File: path})
	last := good[len(good)-1]
	swapped := "0"
	if last == '0' {
		swapped = "1"
	}
	for _, tt := range []struct {
		name         string
		c            claims.Credentials
		cause        string // empty if it is accepted
		class        error
		unrecognized bool
	}{
		{name: "good", c: bearer(good)},
		{name: "scheme in another case", c: claims.Credentials{Scheme: "bearer", Token: good}},
		{name: "another scheme", c: claims.Credentials{Scheme: "DPoP", Token: good}, cause: "another form", class: claims.ErrNoToken, unrecognized: true},
		{name: "another prefix", c: bearer(other), cause: "another prefix", unrecognized: true},
		{name: "a JWT", c: bearer("eyJhbGciOiJFUzI1NiJ9.e30.AAAA"), cause: "another prefix", unrecognized: true},
		{name: "empty", c: bearer(""), cause: "another prefix", unrecognized: true},
		{name: "the prefix alone", c: bearer("sallyport"), cause: "another prefix", unrecognized: true},
		{name: "the prefix in another case", c: bearer("S" + good[1:]), cause: "another prefix", unrecognized: true},
		{name: "nothing behind the prefix", c: bearer("sallyport_"), cause: "checksum"},
		{name: "cut off", c: bearer(good[:len(good)-1]), cause: "checksum"},
		{name: "longer", c: bearer(good + "0"), cause: "checksum"},
		{name: "mistyped at the end", c: bearer(good[:len(good)-1] + swapped), cause: "checksum"},
		{name: "two letters swapped", c: bearer(transposed(good)), cause: "checksum"},
		{name: "of another file", c: bearer(elsewhere), cause: "not minted with this key"},
		{name: "removed", c: bearer(gone), cause: "not known, or not any more"},
		{name: "from its network", c: from("10.1.2.3", inside)},
		{name: "from its other network", c: from("2001:db8::1", inside)},
		{name: "from another network", c: from("11.1.2.3", inside), cause: "from where the request came"},
		{name: "from IPv4 as IPv6", c: from("::ffff:10.1.2.3", inside), cause: "from where the request came"},
		{name: "from nowhere", c: from("", inside), cause: "from where the request came"},
		{name: "without an address", c: bearer(inside), cause: "from where the request came"},
		{name: "from anywhere", c: from("11.1.2.3", good)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, err := tokens.Authenticate(t.Context(), tt.c)
			if tt.cause == "" {
				require.NoError(t, err)
				assert.Equal(t, "ci", caller.Subject())
				return
			}
			assert.Nil(t, caller)
			want := claims.ErrInvalidToken
			if tt.class != nil {
				want = tt.class
			}
			require.ErrorIs(t, err, want)
			assert.Equal(t, tt.unrecognized, errors.Is(err, claims.ErrUnrecognized))
			refusal := claims.AsError(err)
			assert.ErrorContains(t, errors.Unwrap(refusal), tt.cause)
			if tt.c.Token != "" {
				assert.NotContains(t, err.Error()+refusal.Text()+errors.Unwrap(refusal).Error(), tt.c.Token)
			}
		})
	}
}

// transposed swaps the first two letters in a row that differ, as typists do.
func transposed(token string) string {
	b := []byte(token)
	for i := len("sallyport_"); i+1 < len(b); i++ {
		if b[i] != b[i+1] {
			b[i], b[i+1] = b[i+1], b[i]
			return string(b)
		}
	}
	return ""
}

// Every token that differs from a good one in one character is told before it
// is looked up.
func TestTokens_everyCharacterCounts(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	good := add(t, path, statictoken.Token{})
	tokens := newTokens(t, statictoken.Config{File: path})
	for i := range good {
		for _, c := range []byte("0Az_.") {
			if good[i] == c {
				continue
			}
			_, err := tokens.Authenticate(t.Context(), bearer(good[:i]+string(c)+good[i+1:]))
			require.ErrorIs(t, err, claims.ErrInvalidToken)
			cause := errors.Unwrap(claims.AsError(err)).Error()
			assert.True(t, strings.Contains(cause, "checksum") || strings.Contains(cause, "prefix"), cause)
		}
	}
}

// A token expires at its time, and so does what lasts.
func TestTokens_expires(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	expires := time.Date(2000, 1, 1, 0, 10, 0, 0, time.UTC) // ten minutes into the bubble
	key, token := statictoken.NewKey(), ""
	synctest.Test(t, func(t *testing.T) {
		token = add(t, path, statictoken.Token{Expires: expires})
		tokens := newTokens(t, statictoken.Config{File: path})
		guard, err := claims.NewGuard(tokens, claims.GuardConfig{})
		require.NoError(t, err)
		ctx, err := guard.Authorize(t.Context(), claims.Operation{Requirement: claims.Authenticated()}, bearer(token), nil)
		require.NoError(t, err)
		time.Sleep(time.Until(expires) - time.Nanosecond)
		_, err = tokens.Authenticate(t.Context(), bearer(token))
		require.NoError(t, err)
		require.NoError(t, guard.Recheck(ctx))
		time.Sleep(time.Nanosecond)
		_, err = tokens.Authenticate(t.Context(), bearer(token))
		require.ErrorIs(t, err, claims.ErrInvalidToken)
		assert.Equal(t, claims.ReasonExpired, claims.AsError(err).Reason())
		assert.Equal(t, claims.ReasonExpired, claims.AsError(guard.Recheck(ctx)).Reason())
		_, _, err = statictoken.Mint(key, "", statictoken.Token{Subject: "x", Expires: expires})
		require.ErrorContains(t, err, "is over")
	})
}

func TestNew_reportsAll(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		cfg  statictoken.Config
		want []string
	}{
		{name: "zero", want: []string{"Config.File is required, or Source"}},
		{
			name: "all at once",
			cfg: statictoken.Config{
				File: "x", Key: statictoken.NewKey(), Prefix: "No", Refresh: time.Minute, MaxTokens: -1,
				ScopeMap: map[string][]string{"a b": nil},
			},
			want: []string{
				"Config.Key is set beside File", `Config.Prefix of "No" must be of a-z`, "Config.Refresh of 1m0s is not between",
				"Config.MaxTokens of -1", `Config.ScopeMap: "a b" is not a scope`,
			},
		},
		{name: "both", cfg: statictoken.Config{File: "x", Source: &shelf{}}, want: []string{"Config.Source takes the place of File"}},
		{name: "no key", cfg: statictoken.Config{Source: &shelf{}}, want: []string{"Config.Key is required"}},
		{name: "nil", cfg: statictoken.Config{Source: (*shelf)(nil)}, want: []string{"Config.Source is a nil *statictoken_test.shelf"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := statictoken.New(tt.cfg)
			require.Error(t, err)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, "statictoken: New: ")
				assert.ErrorContains(t, err, want)
			}
		})
	}
	var zero statictoken.Tokens
	_, err := zero.Authenticate(t.Context(), bearer("sallyport_x"))
	require.ErrorIs(t, err, claims.ErrUnavailable)
	require.ErrorIs(t, zero.Recheck(t.Context(), nil), claims.ErrUnavailable)
	require.ErrorIs(t, zero.Ready(t.Context()), claims.ErrUnavailable)
	_, err = claims.NewGuard(&zero, claims.GuardConfig{})
	assert.NoError(t, err, "it answers for itself")
}

func TestMint_reportsAll(t *testing.T) {
	t.Parallel()
	_, _, err := statictoken.Mint(statictoken.NewKey(), "", statictoken.Token{
		Scopes: []string{"a b"}, Permissions: []string{""}, Expires: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC),
		Networks: []netip.Prefix{{}, netip.MustParsePrefix("10.0.0.1/8"), netip.MustParsePrefix("::ffff:10.0.0.0/104")},
	})
	require.Error(t, err)
	for _, want := range []string{
		"Subject is required", `Scopes: "a b"`, "Permissions", "Expires is not between", "not valid",
		"10.0.0.1/8 has bits beyond its length, 10.0.0.0/8 has not", "is to be written as IPv4",
	} {
		assert.ErrorContains(t, err, want)
	}
	_, _, err = statictoken.Mint(statictoken.NewKey(), "a-b", statictoken.Token{Subject: "x"})
	require.ErrorContains(t, err, `the prefix "a-b" must be of a-z`)
	key := statictoken.NewKey()
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v %s", key, key, key, key), fmt.Sprint([32]byte(key))[1:20])
}
