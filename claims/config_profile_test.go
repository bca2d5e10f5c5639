package claims_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// profileCase is a Config as an API would have it, and tokens of its issuer.
type profileCase struct {
	name   string
	config claims.Config // without Keys
	tokens []issuedToken
}

// issuedToken is a token as its issuer makes it, signed with the issuer's key.
type issuedToken struct {
	name            string
	header, payload string
	reason          claims.Reason // empty if it is accepted, and then the rest counts

	subject, clientID   string
	scopes, permissions []string
}

func (i issuedToken) sign() claims.Credentials {
	return bearer(forgedBy("rs256", "RS256", i.header, i.payload))
}

func profileCases() []profileCase {
	return slices.Concat(rfc9068Cases(), auth0Cases(), cognitoCases(), entraCases(), googleCases(),
		hydraCases(), keycloakCases(), kubernetesCases(), oktaCases())
}

// dated puts times into a payload: $iat is a minute ago, $exp in an hour.
func dated(payload string) string {
	now := time.Now()
	return strings.NewReplacer(
		"$iat", strconv.FormatInt(now.Add(-time.Minute).Unix(), 10),
		"$exp", strconv.FormatInt(now.Add(time.Hour).Unix(), 10),
	).Replace(payload)
}

// changed is an object with other members; [claimstest.Omit] leaves one out.
func changed(object string, changes m) string {
	members := m{}
	must(json.Unmarshal([]byte(object), &members))
	for name, value := range members {
		if number, ok := value.(float64); ok { // else written as 1.7e+09
			members[name] = int64(number)
		}
	}
	return string(encodeJSON(merged(members, changes)))
}

func newProfileVerifier(t testing.TB, cfg claims.Config) *claims.Verifier {
	t.Helper()
	keys, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	cfg.Keys = keys
	verifier, err := claims.NewVerifier(cfg)
	require.NoError(t, err)
	return verifier
}

// writtenOut is a Config with the fields of its profile, and without it.
func writtenOut(cfg claims.Config) claims.Config {
	fields := cfg.Profile.Config()
	cfg.InsecureSkipAudience = len(cfg.Audiences) == 0 // Cognito's alone
	cfg.Profile = 0
	cfg.Types = fields.Types
	cfg.RequiredClaims = fields.RequiredClaims
	cfg.ForbiddenClaims = fields.ForbiddenClaims
	cfg.ClaimValues = fields.ClaimValues
	cfg.ClientIDClaim = fields.ClientIDClaim
	cfg.PermissionClaims = fields.PermissionClaims
	return cfg
}

func TestProfile_tokens(t *testing.T) {
	t.Parallel()
	for _, c := range profileCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			verifiers := map[string]*claims.Verifier{
				"profile":     newProfileVerifier(t, c.config),
				"written out": newProfileVerifier(t, writtenOut(c.config)),
			}
			for _, tt := range c.tokens {
				t.Run(tt.name, func(t *testing.T) {
					t.Parallel()
					token := tt.sign()
					for name, verifier := range verifiers {
						caller, err := verifier.Authenticate(t.Context(), token)
						if tt.reason != "" {
							assertRefused(t, caller, err, tt.reason)
							continue
						}
						require.NoError(t, err, name)
						assert.Equal(t, tt.subject, caller.Subject(), name)
						assert.Equal(t, tt.clientID, caller.ClientID(), name)
						assert.Equal(t, append([]string{}, tt.scopes...), caller.Scopes(), name)
						assert.Equal(t, append([]string{}, tt.permissions...), caller.Permissions(), name)
					}
				})
			}
		})
	}
}

// accessTokenOf returns the first case of a profile, and the first token of it.
func accessTokenOf(t testing.TB, profile claims.Profile) (claims.Config, issuedToken) {
	t.Helper()
	for _, c := range profileCases() {
		if c.config.Profile == profile {
			require.Empty(t, c.tokens[0].reason, "the first is the access token")
			return c.config, c.tokens[0]
		}
	}
	t.Fatalf("no case of %v", profile)
	return claims.Config{}, issuedToken{}
}

// Each mark of an access token counts, and each mark of another token does,
// when all others are right.
func TestProfile_marks(t *testing.T) {
	t.Parallel()
	const lacks, other = claims.ReasonClaims, claims.ReasonType
	omit := claimstest.Omit
	for _, tt := range []struct {
		profile         claims.Profile
		header, payload m
		reason          claims.Reason
	}{
		{profile: claims.RFC9068, header: m{"typ": "JWT"}, reason: other},
		{profile: claims.RFC9068, header: m{"typ": omit}, reason: other},
		{profile: claims.RFC9068, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.RFC9068, payload: m{"client_id": omit}, reason: lacks},
		{profile: claims.RFC9068, payload: m{"iat": omit}, reason: lacks},
		{profile: claims.RFC9068, payload: m{"jti": omit}, reason: lacks},
		{profile: claims.Auth0, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.Auth0, payload: m{"azp": omit}, reason: lacks},
		{profile: claims.Auth0, payload: m{"azp": omit, "client_id": "x"}},
		{profile: claims.Auth0, payload: m{"nonce": "x"}, reason: other},
		{profile: claims.Auth0, payload: m{"sid": "x"}, reason: other},
		{profile: claims.Cognito, payload: m{"token_use": "id"}, reason: other},
		{profile: claims.Cognito, payload: m{"token_use": omit}, reason: other},
		{profile: claims.Cognito, payload: m{"token_use": []string{"access"}}, reason: other},
		{profile: claims.Cognito, payload: m{"token_use": omit, "Token_Use": "access"}, reason: other},
		{profile: claims.Cognito, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.Cognito, payload: m{"client_id": omit}, reason: lacks},
		{profile: claims.EntraV1, payload: m{"ver": "2.0"}, reason: other},
		{profile: claims.EntraV1, payload: m{"ver": omit}, reason: other},
		{profile: claims.EntraV1, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.EntraV1, payload: m{"appid": omit, "azp": "x"}, reason: lacks},
		{profile: claims.EntraV1, payload: m{"scp": omit}, reason: lacks},
		{profile: claims.EntraV1, payload: m{"scp": "", "roles": []string{}}, reason: lacks},
		{profile: claims.EntraV1, payload: m{"nonce": "x"}, reason: other},
		{profile: claims.EntraV2, payload: m{"ver": "1.0"}, reason: other},
		{profile: claims.EntraV2, payload: m{"ver": omit}, reason: other},
		{profile: claims.EntraV2, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.EntraV2, payload: m{"azp": omit, "appid": "x"}, reason: lacks},
		{profile: claims.EntraV2, payload: m{"scp": omit}, reason: lacks},
		{profile: claims.EntraV2, payload: m{"scp": "", "roles": []string{}}, reason: lacks},
		{profile: claims.EntraV2, payload: m{"nonce": "x"}, reason: other},
		{profile: claims.Google, payload: m{"email_verified": false}, reason: other},
		{profile: claims.Google, payload: m{"email_verified": "true"}},
		{profile: claims.Google, payload: m{"email_verified": omit}, reason: other},
		{profile: claims.Google, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.Google, payload: m{"azp": omit}, reason: lacks},
		{profile: claims.Google, payload: m{"email": omit}, reason: lacks},
		{profile: claims.Google, payload: m{"nonce": "x"}, reason: other},
		{profile: claims.Google, payload: m{"hd": "example.com"}, reason: other},
		{profile: claims.Hydra, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.Hydra, payload: m{"client_id": omit, "azp": "x"}, reason: lacks},
		{profile: claims.Hydra, payload: m{"jti": omit}, reason: lacks},
		{profile: claims.Hydra, payload: m{"nonce": "x"}, reason: other},
		{profile: claims.Hydra, payload: m{"sid": "x"}, reason: other},
		{profile: claims.Hydra, payload: m{"rat": 1}, reason: other},
		{profile: claims.Keycloak, payload: m{"typ": "bearer"}},
		{profile: claims.Keycloak, payload: m{"typ": "DPoP"}},
		{profile: claims.Keycloak, payload: m{"typ": "ID"}, reason: other},
		{profile: claims.Keycloak, payload: m{"typ": "BEARER"}, reason: other},
		{profile: claims.Keycloak, payload: m{"typ": omit}, reason: other},
		{profile: claims.Keycloak, payload: m{"azp": omit}, reason: lacks},
		{profile: claims.Keycloak, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.Keycloak, payload: m{"sub": ""}, reason: lacks},
		{profile: claims.Kubernetes, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.Kubernetes, payload: m{"kubernetes.io": omit}, reason: lacks},
		{profile: claims.Kubernetes, payload: m{"kubernetes.io": m{}}, reason: lacks},
		{profile: claims.Okta, header: m{"typ": "at+jwt"}},
		{profile: claims.Okta, header: m{"typ": "JWT"}},
		{profile: claims.Okta, header: m{"typ": "id_token+jwt"}, reason: other},
		{profile: claims.Okta, payload: m{"sub": omit}, reason: lacks},
		{profile: claims.Okta, payload: m{"cid": omit, "client_id": "x"}, reason: lacks},
		{profile: claims.Okta, payload: m{"scp": omit, "scope": "x"}, reason: lacks},
		{profile: claims.Okta, payload: m{"scp": []string{}}, reason: lacks},
		{profile: claims.Okta, payload: m{"nonce": "x"}, reason: other},
		{profile: claims.Okta, payload: m{"idp": "x"}, reason: other},
	} {
		name := tt.profile.String() + " " + describe(tt.header) + describe(tt.payload)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg, token := accessTokenOf(t, tt.profile)
			token.header = changed(token.header, tt.header)
			token.payload = changed(token.payload, tt.payload)
			caller, err := newProfileVerifier(t, cfg).Authenticate(t.Context(), token.sign())
			if tt.reason != "" {
				assertRefused(t, caller, err, tt.reason)
				return
			}
			require.NoError(t, err)
		})
	}
	// These are in ID tokens alone, whatever the profile, and whatever they
	// say.
	for profile := claims.RFC9068; profile <= claims.Okta; profile++ {
		for _, mark := range []string{"at_hash", "c_hash", "s_hash", "events"} {
			t.Run(profile.String()+" "+mark, func(t *testing.T) {
				t.Parallel()
				cfg, token := accessTokenOf(t, profile)
				token.payload = changed(token.payload, m{mark: m{"x": "y"}})
				caller, err := newProfileVerifier(t, cfg).Authenticate(t.Context(), token.sign())
				assertRefused(t, caller, err, other)
			})
		}
	}
}

func describe(changes m) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		if changes[name] == claimstest.Omit {
			words = append(words, "without "+name)
			continue
		}
		words = append(words, name+" "+string(encodeJSON(changes[name])))
	}
	return strings.Join(words, ", ")
}
