package httpauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

func challengeOf(t testing.TB, cfg httpauth.ChallengeConfig) httpauth.Challenge {
	t.Helper()
	challenge, err := httpauth.NewChallenge(cfg)
	require.NoError(t, err)
	return challenge
}

func TestChallenge_Field(t *testing.T) {
	t.Parallel()
	needed := claims.Scopes("orders:read")
	missing := claims.AsError(claims.Allowed(claims.NewContext(t.Context(), &claims.Claims{}), needed))
	reader, err := claims.FromJSON([]byte(`{"scope":"orders:read"}`), claims.Config{})
	require.NoError(t, err)
	stepUp := claims.AsError(claims.Allowed(claims.NewContext(t.Context(), reader), claims.All(
		needed, claims.ACR("gold", "silver"), claims.MaxAge(5*time.Minute),
	)))
	refusal := func(class error, reason claims.Reason) *claims.Error {
		return claims.NewError(class, reason, nil)
	}
	text := func(class error, reason claims.Reason) string { return refusal(class, reason).Text() }
	for name, row := range map[string]struct {
		refusal *claims.Error
		want    map[string]string // beside the realm; nil for no challenge
	}{
		"another scheme was used": {nil, map[string]string{}},
		"no token": {
			refusal(claims.ErrNoToken, claims.ReasonNoToken), map[string]string{},
		},
		"no token, scope needed": {
			claims.AsError(claims.Allowed(t.Context(), needed)),
			map[string]string{"scope": "orders:read"},
		},
		"malformed": {
			refusal(claims.ErrInvalidRequest, claims.ReasonSeveralCredentials),
			map[string]string{
				"error":             "invalid_request",
				"error_description": text(claims.ErrInvalidRequest, claims.ReasonSeveralCredentials),
			},
		},
		"invalid": {
			refusal(claims.ErrInvalidToken, claims.ReasonExpired),
			map[string]string{
				"error":             "invalid_token",
				"error_description": text(claims.ErrInvalidToken, claims.ReasonExpired),
			},
		},
		"scope": {
			missing,
			map[string]string{
				"error":             "insufficient_scope",
				"error_description": text(claims.ErrInsufficientScope, claims.ReasonScope),
				"scope":             "orders:read",
			},
		},
		"authentication": {
			stepUp,
			map[string]string{
				"error":             "insufficient_user_authentication",
				"error_description": text(claims.ErrInsufficientAuthentication, claims.ReasonAuthentication),
				"scope":             "orders:read", "acr_values": "gold silver", "max_age": "300",
			},
		},
		"a reason of the user's own": {
			refusal(claims.ErrInvalidToken, "revoked"),
			map[string]string{
				"error": "invalid_token", "error_description": text(claims.ErrInvalidToken, "revoked"),
			},
		},
		"forbidden":   {refusal(claims.ErrForbidden, claims.ReasonPermission), nil},
		"unlisted":    {refusal(claims.ErrForbidden, claims.ReasonUnlisted), nil},
		"unavailable": {refusal(claims.ErrUnavailable, claims.ReasonUndecided), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for scheme, challenge := range map[string]httpauth.Challenge{
				"Bearer": {},
				"DPoP": challengeOf(t, httpauth.ChallengeConfig{
					Scheme: "DPoP", Realm: `a "b" \c`,
					Params: []httpauth.Param{{"algs", "ES256 PS256"}, {"empty", ""}},
				}),
			} {
				field := challenge.Field(row.refusal)
				if row.want == nil {
					assert.Empty(t, field)
					continue
				}
				want := map[string]string{"realm": "api"}
				if scheme == "DPoP" {
					want = map[string]string{"realm": `a "b" \c`, "algs": "ES256 PS256", "empty": ""}
				}
				for name, value := range row.want {
					want[name] = value
				}
				assert.Equal(t, []read{{scheme, want}}, readAll(t, field), field)
			}
		})
	}
}

// The zero value is what the zero ChallengeConfig makes.
func TestChallenge_zero(t *testing.T) {
	t.Parallel()
	for _, refusal := range append(claims.Refusals(), nil) {
		assert.Equal(t, challengeOf(t, httpauth.ChallengeConfig{}).Field(refusal),
			httpauth.Challenge{}.Field(refusal))
	}
}

// Of a server with several schemes, one by one or in one field.
func TestChallenge_several(t *testing.T) {
	t.Parallel()
	used := challengeOf(t, httpauth.ChallengeConfig{Params: []httpauth.Param{
		{"resource_metadata", "https://api.example/.well-known/oauth-protected-resource?a=b,c"},
	}})
	other := challengeOf(t, httpauth.ChallengeConfig{
		Scheme: "DPoP", Params: []httpauth.Param{{"algs", "ES256"}},
	})
	fields := []string{
		used.Field(claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)),
		other.Field(nil),
	}
	got := readAll(t, fields...)
	require.Len(t, got, 2)
	assert.Equal(t, got, readAll(t, strings.Join(fields, ", ")))
	assert.Equal(t, "invalid_token", got[0].params["error"])
	assert.Equal(t, "https://api.example/.well-known/oauth-protected-resource?a=b,c",
		got[0].params["resource_metadata"])
	assert.Equal(t, read{"DPoP", map[string]string{"realm": "api", "algs": "ES256"}}, got[1])
}

func TestNewChallenge_refuses(t *testing.T) {
	t.Parallel()
	const token = " must be a token (RFC 9110 section 5.6.2)"
	for name, row := range map[string]struct {
		cfg  httpauth.ChallengeConfig
		want string
	}{
		"a scheme with a space": {
			httpauth.ChallengeConfig{Scheme: "Bearer x"},
			`Scheme of "Bearer x"` + token + ` of at most 32 characters`,
		},
		"a scheme that Parse refuses": {
			httpauth.ChallengeConfig{Scheme: strings.Repeat("a", 33)},
			`Scheme of "` + strings.Repeat("a", 33) + `"` + token + ` of at most 32 characters`,
		},
		"a scheme beyond ASCII": {
			httpauth.ChallengeConfig{Scheme: "Bärer"},
			`Scheme of "Bärer"` + token + ` of at most 32 characters`,
		},
		"header injection": {
			httpauth.ChallengeConfig{Realm: "a\r\nSet-Cookie: b"},
			`Realm of "a\r\nSet-Cookie: b" must be printable ASCII`,
		},
		"a realm beyond ASCII": {
			httpauth.ChallengeConfig{Realm: "für"}, `Realm of "für" must be printable ASCII`,
		},
		"a name with a colon": {params("a:b", "c"), `Params[0].Name of "a:b"` + token},
		"no name":             {params("", "c"), `Params[0].Name of ""` + token},
		"a value with a NUL":  {params("a", "\x00"), `Params[0].Value of "\x00" must be printable ASCII`},
		"a name twice": {
			params("algs", "a", "ALGS", "b"),
			`Params[1].Name of "ALGS" stands there twice (RFC 9110 section 11.2)`,
		},
		"the realm": {
			params("Realm", "a"), `Params[0].Name of "Realm" is a parameter that the challenge writes itself`,
		},
		"an error": {
			params("a", "b", "error_uri", "a"),
			`Params[1].Name of "error_uri" is a parameter that the challenge writes itself`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			challenge, err := httpauth.NewChallenge(row.cfg)
			assert.EqualError(t, err, "httpauth: ChallengeConfig."+row.want)
			assert.Zero(t, challenge)
		})
	}
	_, err := httpauth.NewChallenge(httpauth.ChallengeConfig{Scheme: "=", Realm: "\n", Params: params("=", "\n").Params})
	require.Error(t, err)
	assert.Len(t, strings.Split(err.Error(), "\n"), 4, "everything at once")
}

// params returns a ChallengeConfig with parameters by name and value.
func params(namesAndValues ...string) httpauth.ChallengeConfig {
	var cfg httpauth.ChallengeConfig
	for i := 0; i < len(namesAndValues); i += 2 {
		cfg.Params = append(cfg.Params, httpauth.Param{namesAndValues[i], namesAndValues[i+1]})
	}
	return cfg
}

// Whatever a Config may hold is refused, or read back as it was given.
func FuzzNewChallenge(f *testing.F) {
	f.Add("Bearer", "api", "resource_metadata", "https://api.example/a,b")
	f.Add("DPoP", `a"b\c`, "algs", "ES256 PS256")
	f.Add("A", " ", "b", `\"`)
	f.Add("a\r\n", "\x7f", "=", "ä")
	refusal := claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)
	f.Fuzz(func(t *testing.T, scheme, realm, name, value string) {
		challenge, err := httpauth.NewChallenge(httpauth.ChallengeConfig{
			Scheme: scheme, Realm: realm, Params: []httpauth.Param{{name, value}},
		})
		if err != nil {
			return
		}
		got := readAll(t, challenge.Field(refusal))
		if len(got) != 1 || scheme != "" && got[0].scheme != scheme ||
			realm != "" && got[0].params["realm"] != realm ||
			got[0].params[strings.ToLower(name)] != value ||
			got[0].params["error"] != "invalid_token" {
			t.Fatalf("%q", challenge.Field(refusal))
		}
	})
}
