package claims_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// A key set URL is a field beside the issuer; what the cache does can be seen.
func TestConfig_KeySetURL(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newIssuer(t, claimstest.Config{})
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
			KeySetURL: issuer.JWKSURL(), KeyCache: jwks.Config{Client: issuer.Client(), MaxStale: -1},
		})
		require.NoError(t, err)
		assert.Equal(t, jwks.StateEmpty, verifier.KeyStats().State)
		_, err = verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{Lifetime: 10 * time.Hour})))
		require.NoError(t, err)
		assert.Equal(t, jwks.StateFresh, verifier.KeyStats().State)
		assert.Zero(t, issuer.Requests(wellKnown), "there is nothing to discover")
		issuer.Fail(http.StatusInternalServerError)
		time.Sleep(time.Hour)
		require.ErrorIs(t, verifier.Ready(t.Context()), claims.ErrUnavailable, "MaxStale is none")
	})
}

func TestConfig_keys(t *testing.T) {
	t.Parallel()
	const a, b = "https://a.example", "https://b.example"
	cacheOf := func(cfg jwks.Config) *jwks.Cache {
		cache, err := jwks.NewCache(cfg)
		require.NoError(t, err)
		return cache
	}
	trusted := func(string) bool { return true }
	v1, v2 := "https://sts.windows.net/t1/", "https://login.microsoftonline.com/t1/v2.0"
	for _, tt := range []struct {
		name string
		cfg  claims.Config
		want string // the error, empty for none
	}{
		{name: "of the issuer", cfg: claims.Config{Keys: cacheOf(jwks.Config{Issuer: a})}},
		{name: "of nobody's name", cfg: claims.Config{Keys: cacheOf(jwks.Config{URL: b + "/keys"})}},
		{
			name: "of another", cfg: claims.Config{Keys: cacheOf(jwks.Config{Issuer: b})},
			want: `Config.Keys is a cache of the keys of "https://b.example", and Issuer is "https://a.example"`,
		},
		{name: "of another name", cfg: claims.Config{KeysOf: b, Keys: cacheOf(jwks.Config{Issuer: b})}},
		{
			name: "of another than named", cfg: claims.Config{KeysOf: "https://c.example", Keys: cacheOf(jwks.Config{Issuer: b})},
			want: `Config.KeysOf is "https://c.example", and Keys is a cache of the keys of "https://b.example"`,
		},
		{
			name: "of the issuer, and another is named", cfg: claims.Config{KeysOf: b, Keys: cacheOf(jwks.Config{Issuer: a})},
			want: `Config.KeysOf is "https://b.example"`,
		},
		{name: "KeysOf alone", cfg: claims.Config{KeysOf: b}, want: "Config.KeysOf is \"https://b.example\", and Keys is nil"},
		{
			name: "of another, open", want: "Config.Keys is a cache of the keys of",
			cfg: claims.Config{Issuer: entra, TrustTenant: trusted, Keys: cacheOf(jwks.Config{Issuer: b})},
		},
		{
			name: "of a tenant, open",
			cfg:  claims.Config{Issuer: entra, TrustTenant: trusted, Keys: cacheOf(jwks.Config{Issuer: "https://login.example/common/v2.0"})},
		},
		{name: "Entra, the other version", cfg: claims.Config{Issuer: v1, Profile: claims.EntraV1, Keys: cacheOf(jwks.Config{Issuer: v2})}},
		{
			name: "Entra, another tenant", want: "Config.Keys is a cache of the keys of",
			cfg: claims.Config{Issuer: "https://sts.windows.net/t2/", Profile: claims.EntraV1, Keys: cacheOf(jwks.Config{Issuer: v2})},
		},
		{name: "zero", cfg: claims.Config{Keys: &jwks.Cache{}}, want: "Config.Keys is a jwks.Cache that was not made by jwks.NewCache"},
		{
			name: "beside KeySetURL", cfg: claims.Config{KeySetURL: a, Keys: cacheOf(jwks.Config{Issuer: a})},
			want: "Config.Keys takes the place of KeySetURL and KeyCache",
		},
		{
			name: "beside KeyCache", cfg: claims.Config{KeyCache: jwks.Config{MaxStale: 1}, Keys: cacheOf(jwks.Config{Issuer: a})},
			want: "Config.Keys takes the place of KeySetURL and KeyCache",
		},
		{
			name: "an issuer in KeyCache", cfg: claims.Config{KeyCache: jwks.Config{Issuer: a}},
			want: "Config.KeyCache.Issuer and KeyCache.URL must be empty",
		},
		{name: "a key set over http", cfg: claims.Config{KeySetURL: "http://keys.example"}, want: `KeySetURL "http://keys.example"`},
		{
			name: "no https, and secrets", cfg: claims.Config{Issuer: "http://user:hunter2@a.example/x?key=hunter2#hunter2"},
			want: `Config.Issuer "http://a.example/x"`,
		},
		{
			name: "no URL, and secrets", cfg: claims.Config{Issuer: "https://user:hun ter2/hunter2@a.example:x?key=hunter2"},
			want: `Config.Issuer "https://a.example:x"`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.cfg.Issuer == "" {
				tt.cfg.Issuer = a
			}
			tt.cfg.Audiences = []string{"x"}
			_, err := claims.NewVerifier(tt.cfg)
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// Entra has one set of keys for the tokens of both its versions: the keys of
// the newer document name the newer issuer, and verify older tokens of the same
// tenant.
func TestEntraV1_newerKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, issuer, keyIssuer string
		refused                 bool
	}{
		{name: "open", issuer: "https://sts.windows.net/t1/", keyIssuer: "https://login.microsoftonline.com/{tenantid}/v2.0"},
		{name: "open, by another name", issuer: "https://sts.windows.net/t1/", keyIssuer: "https://login.microsoftonline.com/{tid}/v2.0"},
		{name: "the tenant", issuer: "https://sts.windows.net/t1/", keyIssuer: "https://login.microsoftonline.com/t1/v2.0"},
		{name: "government", issuer: "https://sts.windows.net/t1/", keyIssuer: "https://login.microsoftonline.us/{tenantid}/v2.0"},
		{name: "China", issuer: "https://sts.chinacloudapi.cn/t1/", keyIssuer: "https://login.partner.microsoftonline.cn/{tenantid}/v2.0"},
		{name: "not said", issuer: "https://sts.windows.net/t1/"},
		{name: "another tenant", issuer: "https://sts.windows.net/t1/", keyIssuer: "https://login.microsoftonline.com/t2/v2.0", refused: true},
		{name: "another cloud", issuer: "https://sts.windows.net/t1/", keyIssuer: "https://login.partner.microsoftonline.cn/t1/v2.0", refused: true},
		{name: "elsewhere", issuer: "https://sts.windows.net/t1/", keyIssuer: "https://login.example/{tenantid}/v2.0", refused: true},
		{name: "not of Entra", issuer: "https://issuer.example/t1/", keyIssuer: "https://login.microsoftonline.com/{tenantid}/v2.0", refused: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuer := newIssuer(t, claimstest.Config{})
			jwk := issuer.Key().JWK()
			set, err := jwks.Parse(fmt.Appendf(nil,
				`{"keys":[{"kty":"EC","crv":"P-256","kid":%q,"x":%q,"y":%q,"issuer":%q}]}`,
				jwk["kid"], jwk["x"], jwk["y"], tt.keyIssuer))
			require.NoError(t, err)
			verifier, err := claims.NewVerifier(claims.Config{
				Issuer: tt.issuer, Audiences: []string{claimstest.Audience}, Profile: claims.EntraV1, Keys: set,
			})
			require.NoError(t, err)
			caller, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{
				Claims: m{"iss": tt.issuer, "ver": "1.0", "appid": "a", "roles": []string{"r"}, "sub": "s"},
			})))
			if tt.refused {
				assertRefused(t, caller, err, claims.ReasonUnknownKey)
				return
			}
			require.NoError(t, err)
		})
	}
}

// Tokens may be as long as the Config says: of several issuers each by its own,
// once it is known, also where the token is remembered.
func TestConfig_MaxTokenSize(t *testing.T) {
	t.Parallel()
	large := newIssuer(t, claimstest.Config{URL: "https://large.example"})
	small := newIssuer(t, claimstest.Config{URL: "https://small.example"})
	token := func(issuer *claimstest.Issuer, size int) claims.Credentials {
		for pad := size * 3 / 4; ; pad-- {
			text := issuer.Mint(claimstest.Token{Claims: m{"pad": strings.Repeat("a", max(pad, 0))}})
			if len(text) <= size {
				return bearer(text)
			}
			pad -= (len(text) - size) * 3 / 4
		}
	}
	cfg := trusting(t, large)
	cfg.MaxTokenSize = 64 << 10
	issuers, err := claims.NewIssuers(cfg, trusting(t, small))
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	guard, err := claims.NewGuard(issuers, claims.GuardConfig{})
	require.NoError(t, err)
	for range 2 {
		for _, auth := range []claims.Authenticator{issuers, verifier} {
			_, err = auth.Authenticate(t.Context(), token(large, 64<<10))
			require.NoError(t, err)
			_, err = auth.Authenticate(t.Context(), bearer(strings.Repeat("a", 64<<10+1)))
			assert.Equal(t, claims.ReasonTooLarge, claims.AsError(err).Reason())
		}
		_, err = issuers.Authenticate(t.Context(), token(small, 16<<10))
		require.NoError(t, err)
		tooLarge := token(small, 20<<10)
		caller, err := issuers.Authenticate(t.Context(), tooLarge)
		assertRefused(t, caller, err, claims.ReasonTooLarge)
		_, err = guard.Authorize(t.Context(), claims.Operation{}, tooLarge, nil)
		assert.Equal(t, claims.ReasonTooLarge, claims.AsError(err).Reason())
	}
	for size, wrong := range map[int]bool{-1: true, 64<<10 + 1: true, 1: false} {
		cfg.MaxTokenSize = size
		_, err := claims.NewVerifier(cfg)
		assert.Equal(t, wrong, err != nil, size)
	}
}

// A scope implies what the table says, however far, and by its exact name
// alone.
func TestConfig_ScopeMap(t *testing.T) {
	t.Parallel()
	cfg := claims.Config{ScopeMap: map[string][]string{
		"admin": {"write", "audit"}, "write": {"read"}, "read": {"list"}, "list": {"read"}, "self": {"self"},
	}}
	for granted, want := range map[string][]string{
		"":           {},
		"admin":      {"admin", "write", "audit", "read", "list"},
		"write":      {"write", "read", "list"},
		"read write": {"read", "write", "list"},
		"list":       {"list", "read"},
		"self other": {"self", "other"},
		"admin:x":    {"admin:x"},
		"Admin":      {"Admin"},
		"adm":        {"adm"},
	} {
		caller, err := claims.FromJSON(fmt.Appendf(nil, `{"scope":%q}`, granted), cfg)
		require.NoError(t, err)
		assert.ElementsMatch(t, want, caller.Scopes(), granted)
		for _, scope := range want {
			assert.True(t, caller.HasScope(scope), granted)
			assert.NoError(t, claims.Scopes(scope).Check(t.Context(), caller))
		}
	}
	_, err := claims.FromJSON([]byte(`{}`), claims.Config{ScopeMap: map[string][]string{"a b": {"", "c\""}}})
	for _, wrong := range []string{`"a b"`, `""`, `"c\""`} {
		assert.ErrorContains(t, err, "Config.ScopeMap: "+wrong+" is not a scope")
	}
	issuer := newIssuer(t, claimstest.Config{})
	implied := cfg.ScopeMap
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) { cfg.ScopeMap = implied })
	implied["read"] = []string{"everything"}
	for range 2 {
		caller, err := verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{Scope: "write"})))
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"write", "read", "list"}, caller.Scopes(), "as it was")
	}
}

// Claims that are trusted for another reason mean what the Config says.
func TestFromJSON_config(t *testing.T) {
	t.Parallel()
	caller, err := claims.FromJSON([]byte(`{"cid":"shop","scope":"a","roles":["clerk","x"],"groups":"y"}`), claims.Config{
		ClientIDClaim: "cid", ScopeMap: map[string][]string{"a": {"b"}},
		PermissionClaims: []string{"roles"}, PermissionMap: map[string][]string{"clerk": {"orders:read"}},
	})
	require.NoError(t, err)
	assert.Equal(t, "shop", caller.ClientID())
	assert.Equal(t, []string{"a", "b"}, caller.Scopes())
	assert.Equal(t, []string{"orders:read"}, caller.Permissions())
	caller, err = claims.FromJSON([]byte(`{"azp":"shop","realm_access":{"roles":["r"]}}`), claims.Config{Profile: claims.Keycloak})
	require.NoError(t, err)
	assert.Equal(t, []string{"r"}, caller.Permissions())
	assert.Equal(t, "shop", caller.ClientID())
	for object, want := range map[string]string{
		`{"exp":"soon"}`: `claim "exp"`, `{"nbf":null}`: `claim "nbf"`, `{"sub":7}`: `claim "sub"`,
		`{"scope":7}`: `claim "scope"`, `{"Sub":"x"}`: `"sub"`, `{"aud":{}}`: `claim "aud"`, `[]`: "not a JSON object", ``: "not a JSON object",
	} {
		caller, err := claims.FromJSON([]byte(object), claims.Config{})
		assert.Nil(t, caller)
		require.Error(t, err, object)
		assert.ErrorContains(t, err, want, object)
		assert.ErrorIs(t, err, claims.ErrInvalidToken, object)
	}
	_, err = claims.FromJSON([]byte(`{}`), claims.Config{Profile: 99, PermissionClaims: []string{"", "a.*"}})
	for _, wrong := range []string{"Config.Profile", "Config.PermissionClaims[0]", `"a.*"`} {
		assert.ErrorContains(t, err, wrong)
	}
}
