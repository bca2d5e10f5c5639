package claimstest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const (
	form     = "application/x-www-form-urlencoded"
	jsonType = "application/json"
)

// shop has an ID and a secret that show whether they are encoded as they should
// be.
var shop = claimstest.Client{
	ID: "shop:1", Secret: "s3cret +%/&=ü", Scopes: []string{"orders:read", "orders:write"},
}

func newShopIssuer(t *testing.T) *claimstest.Issuer {
	t.Helper()
	return newIssuer(t, claimstest.Config{
		URL:     "https://issuer.example/realms/a",
		Clients: []claimstest.Client{{ID: "other", Secret: "other"}, shop},
	})
}

type tokenRequest struct {
	contentType string
	body        string
	basic       [2]string // ID and secret as they stand in the field
}

func (r tokenRequest) send(t *testing.T, issuer *claimstest.Issuer) (*http.Response, answer) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer.TokenURL(),
		strings.NewReader(r.body))
	require.NoError(t, err)
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.basic[0] != "" {
		req.SetBasicAuth(r.basic[0], r.basic[1])
	}
	resp, err := issuer.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var members answer
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&members))
	return resp, members
}

type answer map[string]any

// formOf makes a form of names and values in turn.
func formOf(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

func jsonOf(members map[string]any) string {
	encoded, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return string(encoded)
}

var shopBasic = [2]string{url.QueryEscape(shop.ID), url.QueryEscape(shop.Secret)}

func TestTokenEndpoint_grants(t *testing.T) {
	t.Parallel()
	const grant = "client_credentials"
	tests := []struct {
		name    string
		request tokenRequest
		scope   string
	}{
		{"HTTP Basic", tokenRequest{form, formOf("grant_type", grant), shopBasic},
			"orders:read orders:write"},
		{"HTTP Basic and client_id", tokenRequest{
			form, formOf("grant_type", grant, "client_id", shop.ID), shopBasic,
		}, "orders:read orders:write"},
		{"HTTP Basic and JSON", tokenRequest{
			jsonType, jsonOf(map[string]any{"grant_type": grant}), shopBasic,
		}, "orders:read orders:write"},
		{"form", tokenRequest{
			contentType: form,
			body: formOf(
				"grant_type", grant, "client_id", shop.ID, "client_secret", shop.Secret),
		}, "orders:read orders:write"},
		{"form with charset", tokenRequest{
			contentType: form + "; charset=UTF-8",
			body: formOf(
				"grant_type", grant, "client_id", shop.ID, "client_secret", shop.Secret),
		}, "orders:read orders:write"},
		{"JSON", tokenRequest{contentType: jsonType, body: jsonOf(map[string]any{
			"grant_type": grant, "client_id": shop.ID, "client_secret": shop.Secret,
		})}, "orders:read orders:write"},
		{"JSON with scope", tokenRequest{contentType: jsonType, body: jsonOf(map[string]any{
			"grant_type": grant, "client_id": shop.ID, "client_secret": shop.Secret,
			"scope": "orders:write", "audience": "ignored",
		})}, "orders:write"},
		{"less scope", tokenRequest{
			form, formOf("grant_type", grant, "scope", "orders:read"), shopBasic,
		}, "orders:read"},
		{"scope empty", tokenRequest{
			form, formOf("grant_type", grant, "scope", ""), shopBasic,
		}, "orders:read orders:write"},
		{"unknown parameter", tokenRequest{
			form, formOf("grant_type", grant, "resource", "https://api.example"), shopBasic,
		}, "orders:read orders:write"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuer := newShopIssuer(t)
			resp, got := tt.request.send(t, issuer)
			require.Equal(t, http.StatusOK, resp.StatusCode, got)
			assert.Equal(t, jsonType, resp.Header.Get("Content-Type"))
			assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			assert.Empty(t, resp.Header.Get("WWW-Authenticate"))
			token, _ := got["access_token"].(string)
			delete(got, "access_token")
			assert.Equal(t, answer{
				"token_type": "Bearer", "expires_in": 300.0, "scope": tt.scope,
			}, got)
			header, payload := decode(t, token)
			assert.Equal(t, issuer.Key().ID, header["kid"])
			assert.Equal(t, shop.ID, payload["sub"])
			assert.Equal(t, shop.ID, payload["client_id"])
			assert.Equal(t, tt.scope, payload["scope"])
			assert.Equal(t, issuer.URL(), payload["iss"])
			assert.Equal(t, 1, issuer.Requests("/realms/a/token"))
		})
	}
}

func TestTokenEndpoint_refuses(t *testing.T) {
	t.Parallel()
	const grant = "client_credentials"
	tests := []struct {
		name    string
		request tokenRequest
		status  int
		code    string
	}{
		{"wrong secret by HTTP Basic",
			tokenRequest{form, formOf("grant_type", grant), [2]string{shopBasic[0], "guess"}},
			http.StatusUnauthorized, "invalid_client"},
		{"secret of another client",
			tokenRequest{form, formOf("grant_type", grant), [2]string{shopBasic[0], "other"}},
			http.StatusUnauthorized, "invalid_client"},
		{"secret not encoded",
			tokenRequest{form, formOf("grant_type", grant), [2]string{
				shopBasic[0], strings.ReplaceAll(shop.Secret, "%", "%25"),
			}},
			http.StatusUnauthorized, "invalid_client"},
		{"wrong secret in the form", tokenRequest{contentType: form, body: formOf(
			"grant_type", grant, "client_id", shop.ID, "client_secret", "guess")},
			http.StatusUnauthorized, "invalid_client"},
		{"wrong secret in JSON", tokenRequest{contentType: jsonType, body: jsonOf(map[string]any{
			"grant_type": grant, "client_id": shop.ID, "client_secret": "guess"})},
			http.StatusUnauthorized, "invalid_client"},
		{"no secret", tokenRequest{contentType: form, body: formOf(
			"grant_type", grant, "client_id", shop.ID)},
			http.StatusUnauthorized, "invalid_client"},
		{"unknown client", tokenRequest{form, formOf("grant_type", grant), [2]string{"x", "x"}},
			http.StatusUnauthorized, "invalid_client"},
		{"no client", tokenRequest{contentType: form, body: formOf("grant_type", grant)},
			http.StatusUnauthorized, "invalid_client"},
		{"malformed HTTP Basic",
			tokenRequest{form, formOf("grant_type", grant), [2]string{"%", "%zz"}},
			http.StatusBadRequest, "invalid_request"},
		{"both ways at once, form", tokenRequest{
			form, formOf("grant_type", grant, "client_id", shop.ID, "client_secret", shop.Secret),
			shopBasic,
		}, http.StatusBadRequest, "invalid_request"},
		{"both ways at once, JSON", tokenRequest{
			jsonType, jsonOf(map[string]any{
				"grant_type": grant, "client_id": shop.ID, "client_secret": shop.Secret,
			}), shopBasic,
		}, http.StatusBadRequest, "invalid_request"},
		{"unknown grant", tokenRequest{form, formOf("grant_type", "password"), shopBasic},
			http.StatusBadRequest, "unsupported_grant_type"},
		{"scope not granted", tokenRequest{
			form, formOf("grant_type", grant, "scope", "orders:read admin"), shopBasic,
		}, http.StatusBadRequest, "invalid_scope"},
		{"prefix of a scope", tokenRequest{
			form, formOf("grant_type", grant, "scope", "orders"), shopBasic,
		}, http.StatusBadRequest, "invalid_scope"},
		{"oversize form", tokenRequest{
			form, formOf("grant_type", grant, "fill", strings.Repeat("a", 64<<10)), shopBasic,
		}, http.StatusBadRequest, "invalid_request"},
		{"oversize JSON", tokenRequest{
			jsonType, jsonOf(map[string]any{
				"a_fill": strings.Repeat("a", 64<<10), "grant_type": grant,
			}), shopBasic,
		}, http.StatusBadRequest, "invalid_request"},
		{"malformed form", tokenRequest{form, "grant_type=%", shopBasic},
			http.StatusBadRequest, "invalid_request"},
		{"malformed JSON", tokenRequest{jsonType, `{"grant_type":`, shopBasic},
			http.StatusBadRequest, "invalid_request"},
		{"JSON of wrong types", tokenRequest{jsonType, `{"grant_type":7}`, shopBasic},
			http.StatusBadRequest, "invalid_request"},
		{"JSON array", tokenRequest{jsonType, `["client_credentials"]`, shopBasic},
			http.StatusBadRequest, "invalid_request"},
		{"other type", tokenRequest{"text/plain", formOf("grant_type", grant), shopBasic},
			http.StatusBadRequest, "invalid_request"},
		{"no type", tokenRequest{"", formOf("grant_type", grant), shopBasic},
			http.StatusBadRequest, "invalid_request"},
		// RFC 6749 section 5.2: a parameter missing, and one repeated.
		{"no grant", tokenRequest{form, "", shopBasic}, http.StatusBadRequest, "invalid_request"},
		{"grant repeated", tokenRequest{
			form, formOf("grant_type", grant, "grant_type", grant), shopBasic,
		}, http.StatusBadRequest, "invalid_request"},
		{"scope repeated", tokenRequest{
			form, formOf("grant_type", grant, "scope", "orders:read", "scope", "admin"), shopBasic,
		}, http.StatusBadRequest, "invalid_request"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, got := tt.request.send(t, newShopIssuer(t))
			assert.Equal(t, tt.status, resp.StatusCode)
			assert.Equal(t, tt.code, got["error"])
			assert.NotEmpty(t, got["error_description"])
			assert.NotContains(t, got, "access_token")
			assert.Equal(t, jsonType, resp.Header.Get("Content-Type"))
			assert.Equal(t, "no-store", resp.Header.Get("Cache-Control"))
			challenge := resp.Header.Get("WWW-Authenticate")
			if tt.status == http.StatusUnauthorized {
				assert.True(t, strings.HasPrefix(challenge, "Basic realm="), challenge)
			} else {
				assert.Empty(t, challenge)
			}
		})
	}
}

// RFC 6749 section 5.1 asks for it beside Cache-Control.
func TestTokenEndpoint_pragma(t *testing.T) {
	t.Parallel()
	resp, _ := tokenRequest{form, formOf("grant_type", "client_credentials"), shopBasic}.
		send(t, newShopIssuer(t))
	assert.Equal(t, "no-cache", resp.Header.Get("Pragma"))
}

func TestTokenEndpoint_isForPOST(t *testing.T) {
	t.Parallel()
	issuer := newShopIssuer(t)
	resp, err := issuer.Client().Get(issuer.TokenURL())
	require.NoError(t, err)
	defer resp.Body.Close()
	assert.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
}
