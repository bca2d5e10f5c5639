package claims_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestProfile_String(t *testing.T) {
	t.Parallel()
	for profile, name := range map[claims.Profile]string{
		0:                 "none",
		claims.RFC9068:    "RFC9068",
		claims.Auth0:      "Auth0",
		claims.Cognito:    "Cognito",
		claims.EntraV1:    "EntraV1",
		claims.EntraV2:    "EntraV2",
		claims.Google:     "Google",
		claims.Hydra:      "Hydra",
		claims.Keycloak:   "Keycloak",
		claims.Kubernetes: "Kubernetes",
		claims.Okta:       "Okta",
		claims.Okta + 1:   "Profile(11)",
		200:               "Profile(200)",
	} {
		assert.Equal(t, name, profile.String())
	}
}

// A profile can stand in a configuration file, by its name.
func TestProfile_text(t *testing.T) {
	t.Parallel()
	for profile := claims.Profile(0); profile <= claims.Okta; profile++ {
		text, err := json.Marshal(profile)
		require.NoError(t, err)
		assert.Equal(t, `"`+profile.String()+`"`, string(text))
		for _, name := range []string{
			profile.String(), strings.ToLower(profile.String()), strings.ToUpper(profile.String()),
		} {
			read := claims.Profile(200)
			require.NoError(t, read.UnmarshalText([]byte(name)))
			assert.Equal(t, profile, read)
		}
	}
	read := claims.Okta
	require.NoError(t, read.UnmarshalText(nil))
	assert.Zero(t, read)

	_, err := claims.Profile(200).MarshalText()
	require.ErrorContains(t, err, "Profile(200)")
	_, err = (claims.Okta + 1).MarshalText()
	require.Error(t, err)
	for _, name := range []string{"Entra", " Okta", "Profile(11)"} {
		read = claims.Okta
		require.ErrorContains(t, read.UnmarshalText([]byte(name)), "there are none, RFC9068, Auth0")
		assert.Equal(t, claims.Okta, read, "it stays what it was")
	}
}

func TestProfile_Config(t *testing.T) {
	t.Parallel()
	for _, profile := range []claims.Profile{0, claims.Okta + 1, 200} {
		assert.Zero(t, profile.Config(), profile)
	}
	for profile := claims.RFC9068; profile <= claims.Okta; profile++ {
		// In writing, as two Configs that share something change together.
		cfg, want := profile.Config(), fmt.Sprintf("%+v", profile.Config())
		assert.NotZero(t, cfg, profile)
		for _, list := range [][]string{
			cfg.Types, cfg.RequiredClaims, cfg.ForbiddenClaims, cfg.PermissionClaims,
		} {
			for i := range list {
				list[i] = "changed"
			}
			_ = append(list, "changed")
		}
		for claim, values := range cfg.ClaimValues {
			for i := range values {
				values[i] = "changed"
			}
			cfg.ClaimValues[claim+" changed"] = values
		}
		assert.Equal(t, want, fmt.Sprintf("%+v", profile.Config()), profile)
	}
}

// What a Verifier was made of is its own.
func TestProfile_configChangedLater(t *testing.T) {
	t.Parallel()
	cfg, token := accessTokenOf(t, claims.Cognito)
	cfg.RequiredClaims = []string{"scope"}
	cfg.ClaimValues = map[string][]string{"version": {"2"}}
	verifier := newProfileVerifier(t, cfg)
	cfg.RequiredClaims[0] = "missing"
	cfg.ClaimValues["version"][0] = "3"
	cfg.ClaimValues["missing"] = []string{"x"}
	_, err := verifier.Authenticate(t.Context(), token.sign())
	require.NoError(t, err)
}

// Types, PermissionClaims and ClientIDClaim take the place of the profile's;
// the other fields come on top of it.
func TestProfile_fieldsOfTheConfig(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name            string
		profile         claims.Profile
		change          func(*claims.Config)
		header, payload m
		reason          claims.Reason
		clientID        string
		permissions     []string
	}{
		{
			name: "Types in place", profile: claims.RFC9068,
			change: func(c *claims.Config) { c.Types = []string{"JWT"} },
			header: m{"typ": "JWT"}, clientID: "s6BhdRkqt3",
		},
		{
			name: "Types, the profile's left out", profile: claims.RFC9068,
			change: func(c *claims.Config) { c.Types = []string{"JWT"} },
			reason: claims.ReasonType,
		},
		{
			name: "Types narrowed", profile: claims.Okta,
			change: func(c *claims.Config) { c.Types = []string{"okta-internal-at+jwt"} },
			reason: claims.ReasonType,
		},
		{
			name: "PermissionClaims in place", profile: claims.Auth0,
			change:   func(c *claims.Config) { c.PermissionClaims = []string{"roles"} },
			payload:  m{"roles": []string{"clerk"}},
			clientID: "my_client_id", permissions: []string{"clerk"},
		},
		{
			name: "PermissionClaims where the profile has none", profile: claims.Okta,
			change:   func(c *claims.Config) { c.PermissionClaims = []string{"groups"} },
			payload:  m{"groups": []string{"clerks"}},
			clientID: "nmdP1fcyvdVO11AL7ECm", permissions: []string{"clerks"},
		},
		{
			name: "PermissionMap of the profile's claims", profile: claims.Auth0,
			change: func(c *claims.Config) {
				c.PermissionMap = map[string][]string{"read:patients": {"patients"}}
			},
			clientID: "my_client_id", permissions: []string{"patients"},
		},
		{
			name: "ClientIDClaim in place", profile: claims.Okta,
			change:   func(c *claims.Config) { c.ClientIDClaim = "uid" },
			clientID: "00ujmkLgagxeRrAg20g3",
		},
		{
			name: "ClientIDClaim in place, for ClientIDs", profile: claims.Okta,
			change: func(c *claims.Config) {
				c.ClientIDClaim, c.ClientIDs = "uid", []string{"nmdP1fcyvdVO11AL7ECm"}
			},
			reason: claims.ReasonClient,
		},
		{
			name: "RequiredClaims on top", profile: claims.Okta,
			change: func(c *claims.Config) { c.RequiredClaims = []string{"org"} },
			reason: claims.ReasonClaims,
		},
		{
			name: "RequiredClaims, the profile's still there", profile: claims.Okta,
			change:  func(c *claims.Config) { c.RequiredClaims = []string{"uid"} },
			payload: m{"cid": claimstest.Omit}, reason: claims.ReasonClaims,
		},
		{
			name: "ForbiddenClaims on top", profile: claims.Okta,
			change: func(c *claims.Config) { c.ForbiddenClaims = []string{"uid"} },
			reason: claims.ReasonType,
		},
		{
			name: "ForbiddenClaims, the profile's still there", profile: claims.Okta,
			change:  func(c *claims.Config) { c.ForbiddenClaims = []string{"x"} },
			payload: m{"idp": "x"}, reason: claims.ReasonType,
		},
		{
			name: "ForbiddenClaims, the general ones still there", profile: claims.Okta,
			change:  func(c *claims.Config) { c.ForbiddenClaims = []string{"x"} },
			payload: m{"at_hash": "x"}, reason: claims.ReasonType,
		},
		{
			name: "ClaimValues on top", profile: claims.EntraV2,
			change: func(c *claims.Config) { c.ClaimValues = map[string][]string{"azpacr": {"1", "2"}} },
			reason: claims.ReasonType,
		},
		{
			name: "ClaimValues, the profile's still there", profile: claims.EntraV2,
			change:  func(c *claims.Config) { c.ClaimValues = map[string][]string{"azpacr": {"0"}} },
			payload: m{"ver": "1.0"}, reason: claims.ReasonType,
		},
		{
			name: "ClaimValues, both right", profile: claims.EntraV2,
			change:   func(c *claims.Config) { c.ClaimValues = map[string][]string{"azpacr": {"0"}} },
			clientID: "6e74172b-be56-4843-9ff4-e66a39bb12e3",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, token := accessTokenOf(t, tt.profile)
			tt.change(&cfg)
			token.header = changed(token.header, tt.header)
			token.payload = changed(token.payload, tt.payload)
			caller, err := newProfileVerifier(t, cfg).Authenticate(t.Context(), token.sign())
			if tt.reason != "" {
				assertRefused(t, caller, err, tt.reason)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.clientID, caller.ClientID())
			assert.Equal(t, append([]string{}, tt.permissions...), caller.Permissions())
		})
	}
}

func TestProfile_refusedConfigs(t *testing.T) {
	t.Parallel()
	audiences := []string{"https://api.example"}
	for _, tt := range []struct {
		name   string
		config claims.Config
		says   []string
	}{
		{
			name:   "unknown profile",
			config: claims.Config{Profile: 200, Audiences: audiences},
			says:   []string{"Config.Profile", "200"},
		},
		{
			name:   "first number without a profile",
			config: claims.Config{Profile: claims.Okta + 1, Audiences: audiences},
			says:   []string{"Config.Profile", "11"},
		},
		{
			name:   "Cognito, anybody",
			config: claims.Config{Profile: claims.Cognito},
			says:   []string{"ClientIDs", "Audiences"},
		},
		{
			name:   "Cognito, an empty client",
			config: claims.Config{Profile: claims.Cognito, ClientIDs: []string{""}},
			says:   []string{"ClientIDs"},
		},
		{
			name:   "clients instead of audiences, not Cognito",
			config: claims.Config{Profile: claims.Okta, ClientIDs: []string{"shop"}},
			says:   []string{"Audiences"},
		},
		{
			name:   "Google, anybody",
			config: claims.Config{Profile: claims.Google, Audiences: audiences},
			says:   []string{"ClientIDs", "Check"},
		},
		{
			name: "Google, any audience",
			config: claims.Config{
				Profile: claims.Google, ClientIDs: []string{"caller@project.iam.gserviceaccount.com"},
			},
			says: []string{"Audiences"},
		},
		{
			name: "EntraV2 of any tenant",
			config: claims.Config{
				Issuer:  "https://login.microsoftonline.com/{tenantid}/v2.0",
				Profile: claims.EntraV2, Audiences: audiences,
			},
			says: []string{"Config.TrustTenant", "Config.Keys"},
		},
		{
			name: "a claim required and forbidden",
			config: claims.Config{
				Profile: claims.Okta, Audiences: audiences, RequiredClaims: []string{"org"},
				ForbiddenClaims: []string{"org"},
			},
			says: []string{"ForbiddenClaims", "org"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.config.Issuer == "" {
				tt.config.Issuer = issuerURL
			}
			verifier, err := claims.NewVerifier(tt.config)
			require.Error(t, err)
			assert.Nil(t, verifier)
			for _, word := range tt.says {
				assert.ErrorContains(t, err, word)
			}
		})
	}
}

// Who may call an API of Google's can be said by a check of one's own.
func TestGoogle_ownCheck(t *testing.T) {
	t.Parallel()
	_, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Profile: claims.Google, Audiences: []string{"https://api.example"},
		Check: func(context.Context, *claims.Claims) error { return nil },
	})
	assert.NoError(t, err)
}

// By client an API of Cognito has no name of its own; a token that names
// another API is still not for it (RFC 7519 section 4.1.3).
func TestCognito_boundToAnotherAPI(t *testing.T) {
	t.Parallel()
	cfg, token := accessTokenOf(t, claims.Cognito)
	require.Empty(t, cfg.Audiences)
	token.payload = changed(token.payload, m{"aud": "https://other.example.com"})
	caller, err := newProfileVerifier(t, cfg).Authenticate(t.Context(), token.sign())
	assertRefused(t, caller, err, claims.ReasonAudience)
}
