package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/awsalb"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/jwks"
)

// m is an object of JSON.
type m = map[string]any

// The assertions of proxies, as their documents show them, pass by the Config
// that the place's doc describes, and those that are not for this service do
// not, nor does an assertion elsewhere.
func TestFromProxies(t *testing.T) {
	t.Parallel()
	const backend, aud = "/projects/4711/global/backendServices/42", "f1f2f3f4"
	for name, tt := range map[string]struct {
		from      httpmw.Place
		field     string
		algorithm string
		cfg       claims.Config
		good      m
		bad       map[string]m
	}{
		"Google IAP": {
			from: httpmw.FromGoogleIAP(), field: "X-Goog-Iap-Jwt-Assertion", algorithm: "ES256",
			cfg: claims.Config{
				Issuer: "https://cloud.google.com/iap", Audiences: []string{backend},
			},
			good: m{
				"aud": backend, "sub": "accounts.google.com:4711", "email": "alice@example.com",
				"hd": "example.com", "google": m{"access_levels": []string{"x"}},
			},
			bad: map[string]m{"of another service": {"aud": "/projects/4711/global/backendServices/43"}},
		},
		"Cloudflare Access": {
			from: httpmw.FromCloudflareAccess(), field: "Cf-Access-Jwt-Assertion", algorithm: "RS256",
			cfg: claims.Config{
				Issuer: "https://team.cloudflareaccess.com", Audiences: []string{aud},
				ClaimValues: map[string][]string{"type": {"app"}},
			},
			good: m{
				"aud": []string{aud}, "sub": "7335d417", "email": "alice@example.com", "type": "app",
				"identity_nonce": "6ei69kawdKzMIAPF", "country": "US",
			},
			bad: map[string]m{
				"of another application": {"aud": []string{"a1a2a3a4"}},
				"of the team":            {"aud": []string{aud}, "type": "org"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			issuer, err := claimstest.New(claimstest.Config{URL: tt.cfg.Issuer, Algorithm: tt.algorithm})
			require.NoError(t, err)
			tt.cfg.Keys, err = jwks.Parse(issuer.KeySet())
			require.NoError(t, err)
			verifier, err := claims.NewVerifier(tt.cfg)
			require.NoError(t, err)
			auth := httpmw.New(verifier, httpmw.Config{From: tt.from})
			ask := func(field, prefix string, payload m) int {
				token := issuer.Mint(claimstest.Token{
					Claims: payload, Header: m{"typ": "JWT"},
				})
				return send(t, auth.Wrap(new(spy)), func(r *http.Request) {
					r.Header.Set(field, prefix+token)
				}).StatusCode
			}
			assert.Equal(t, 204, ask(tt.field, "", tt.good))
			assert.Equal(t, 401, ask("Authorization", "Bearer ", tt.good))
			assert.Equal(t, 400, ask(tt.field, "Bearer ", tt.good))
			for name, claims := range tt.bad {
				assert.Equal(t, 401, ask(tt.field, "", claims), name)
			}
		})
	}
}

// The load balancer's assertion, whose segments are padded, has a scheme of its
// own, by which package awsalb knows it.
func TestFromAWSALB(t *testing.T) {
	t.Parallel()
	assertPlace(t, httpmw.FromAWSALB(), map[string]placeCase{
		"assertion":        {"GET /\nX-Amzn-Oidc-Data: a==.b=.c", "a==.b=.c", ""},
		"none":             {"GET /\nAuthorization: Bearer abc", "", nothing},
		"empty":            {"GET /\nX-Amzn-Oidc-Data:", "", nothing},
		"twice":            {"GET /\nX-Amzn-Oidc-Data: a\nX-Amzn-Oidc-Data: a", "", several},
		"Bearer beside it": {"GET /\nX-Amzn-Oidc-Data: a\nAuthorization: Bearer abc", "a", ""},
	})
	seen := new(witness)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Amzn-Oidc-Data", "a")
	_, err := httpmw.New(seen, httpmw.Config{From: httpmw.FromAWSALB()}).Admit(r, claims.Authenticated())
	require.NoError(t, err)
	assert.Equal(t, awsalb.Scheme, seen.shown[0].Scheme)
}
