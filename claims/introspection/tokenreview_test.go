package introspection_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/jwks"
)

// account is a token as a cluster makes it, as far as anybody looks.
const account = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"

// An API server says whose a service account's token is.
func TestTokenReview(t *testing.T) {
	t.Parallel()
	user := m{
		"username": "system:serviceaccount:shop:nightly", "uid": "7",
		"groups": []string{"system:serviceaccounts", "system:authenticated"},
		"extra":  m{"authentication.kubernetes.io/pod-name": []string{"nightly-1"}},
	}
	review := func(status m) m {
		return m{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": m{}, "spec": m{"token": account}, "status": status}
	}
	yes := m{"authenticated": true, "user": user, "audiences": []string{"orders"}}
	for _, tt := range []struct {
		name   string
		answer any
		status int
		reason claims.Reason
	}{
		{name: "authenticated", answer: review(yes), status: 201},
		{name: "authenticated, 200", answer: review(yes), status: 200},
		{name: "not", answer: review(m{"authenticated": false, "error": "invalid bearer token"}), status: 201, reason: claims.ReasonRejected},
		{name: "no status", answer: review(nil), status: 201, reason: claims.ReasonRejected},
		{name: "nobody", answer: review(m{"authenticated": true, "audiences": []string{"orders"}}), status: 201, reason: claims.ReasonRejected},
		{name: "another audience", answer: review(m{"authenticated": true, "user": user, "audiences": []string{"x"}}), status: 201, reason: claims.ReasonAudience},
		{name: "a server that knows no audiences", answer: review(m{"authenticated": true, "user": user}), status: 201, reason: claims.ReasonAudience},
		{name: "something else", answer: m{"apiVersion": "v1", "kind": "Status"}, status: 201, reason: claims.ReasonUndecided},
		{name: "an older version", answer: m{"apiVersion": "authentication.k8s.io/v1beta1", "kind": "TokenReview", "status": yes}, status: 201, reason: claims.ReasonUndecided},
		{name: "forbidden", answer: m{"kind": "Status"}, status: 403, reason: claims.ReasonUndecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var asked struct {
					Kind string
					Spec struct {
						Token     string
						Audiences []string
					}
				}
				assert.NoError(t, json.NewDecoder(r.Body).Decode(&asked))
				assert.Equal(t, "/apis/authentication.k8s.io/v1/tokenreviews", r.URL.Path)
				assert.Equal(t, "TokenReview", asked.Kind)
				assert.Equal(t, account, asked.Spec.Token)
				assert.Equal(t, []string{"orders"}, asked.Spec.Audiences)
				assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
				assert.Equal(t, "Basic", r.Header.Get("Authorization")[:5])
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_ = json.NewEncoder(w).Encode(tt.answer)
			}))
			defer server.Close()
			in, err := introspection.NewTokenReview(introspection.Config{
				Endpoint: server.URL + "/", Client: introspection.Basic("x", "y"),
				Accept: claims.Config{
					Issuer: "https://kubernetes.default.svc", Audiences: []string{"orders"}, PermissionClaims: []string{"groups"},
				},
			})
			require.NoError(t, err)
			caller, err := in.Authenticate(t.Context(), bearer(account))
			if tt.reason == "" {
				require.NoError(t, err)
				assert.Equal(t, "system:serviceaccount:shop:nightly", caller.Subject())
				assert.Equal(t, "https://kubernetes.default.svc", caller.Issuer())
				assert.Equal(t, []string{"system:serviceaccounts", "system:authenticated"}, caller.Permissions())
				var more struct {
					UID   string
					Extra map[string][]string
				}
				require.NoError(t, caller.Decode(&more))
				assert.Equal(t, "7", more.UID)
				assert.Equal(t, []string{"nightly-1"}, more.Extra["authentication.kubernetes.io/pod-name"])
				_, err = in.Authenticate(t.Context(), bearer("opaque"))
				require.ErrorIs(t, err, claims.ErrUnrecognized)
				return
			}
			class := claims.ErrInvalidToken
			if tt.reason == claims.ReasonUndecided {
				class = claims.ErrUnavailable
			}
			assertRefused(t, class, tt.reason, caller, err)
		})
	}
	_, err := introspection.NewTokenReview(introspection.Config{SignedBy: new(jwks.Set)})
	require.ErrorContains(t, err, "introspection: NewTokenReview: Config.SignedBy is set")
	require.ErrorContains(t, err, "introspection: NewTokenReview: Config.Endpoint is required")
}
