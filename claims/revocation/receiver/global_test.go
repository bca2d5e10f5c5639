package receiver_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
)

// guarded puts a handler behind a Guard that wants the scope, as the middleware
// does.
func guarded(t testing.TB, issuer *claimstest.Issuer, scope string, h http.Handler) http.Handler {
	t.Helper()
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	guard, err := claims.NewGuard(verifier, claims.GuardConfig{})
	require.NoError(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		ctx, err := guard.Authorize(r.Context(),
			claims.Operation{Requirement: claims.Scopes(scope)},
			claims.Credentials{Scheme: "Bearer", Token: token}, r)
		if err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

func TestGlobal(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	bearer := map[string]string{
		"Authorization": "Bearer " + issuer.Mint(claimstest.Token{Scope: "revoke"}),
	}
	const a, b = "https://a.example", "https://b.example"
	named := func(issuer, subject string) string {
		return named(revocation.Entry{Issuer: issuer, Subject: subject})
	}
	resolve := func(_ context.Context, format, value string) (string, error) {
		switch value {
		case "alice@example.com":
			return "alice", nil
		case "broken@example.com":
			return "", errors.New("the directory is down")
		}
		return "", nil
	}
	for _, tt := range []struct {
		name, method, contentType, body string
		header                          map[string]string
		deaf                            bool // no Resolve
		fails                           int64
		status                          int
		want                            []string
	}{
		{name: "iss_sub", body: `{"sub_id":{"format":"iss_sub","iss":"https://a.example","sub":"alice"}}`, status: 204, want: []string{named(a, "alice")}},
		{name: "opaque", body: `{"sub_id":{"format":"opaque","id":"alice"}}`, status: 204, want: []string{named(a, "alice"), named(b, "alice")}},
		{name: "email", body: `{"sub_id":{"format":"email","email":"alice@example.com"}}`, status: 204, want: []string{named(a, "alice"), named(b, "alice")}},
		{name: "nobody", body: `{"sub_id":{"format":"email","email":"nobody@example.com"}}`, status: 404},
		{name: "another issuer", body: `{"sub_id":{"format":"iss_sub","iss":"https://other.example","sub":"alice"}}`, status: 422},
		{name: "a format that is not understood", deaf: true, body: `{"sub_id":{"format":"email","email":"alice@example.com"}}`, status: 422},
		{name: "no caller", header: map[string]string{}, body: `{"sub_id":{"format":"opaque","id":"alice"}}`, status: 401},
		{name: "no sub_id", body: `{}`, status: 400},
		{name: "no format", body: `{"sub_id":{"id":"alice"}}`, status: 400},
		{name: "sub_id is a string", body: `{"sub_id":"alice"}`, status: 400},
		{name: "half", body: `{"sub_id":{"format":"iss_sub","iss":"https://a.example"}}`, status: 400},
		{name: "empty", body: `{"sub_id":{"format":"opaque","id":""}}`, status: 400},
		{name: "twice", body: `{"sub_id":{"format":"opaque","id":"bob"},"sub_id":{"format":"opaque","id":"alice"}}`, status: 400},
		{name: "no JSON", body: `alice`, status: 400},
		{name: "a form", contentType: "application/x-www-form-urlencoded", body: `{"sub_id":{"format":"opaque","id":"alice"}}`, status: 400},
		{name: "endless", body: `{"sub_id":{"format":"opaque","id":"` + strings.Repeat("x", 1<<20) + `"}}`, status: 400},
		{name: "GET", method: "GET", status: 405},
		{name: "the directory is down", body: `{"sub_id":{"format":"email","email":"broken@example.com"}}`, status: 503},
		{name: "the table fails", fails: 1, body: `{"sub_id":{"format":"opaque","id":"alice"}}`, status: 503, want: []string{named(b, "alice")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			own := newTable(t)
			table := &failing{Table: own}
			table.fails.Store(tt.fails)
			cfg := receiver.GlobalConfig{Issuers: []string{a, b}, Resolve: resolve, Logger: quiet}
			if tt.deaf {
				cfg.Resolve = nil
			}
			global, err := receiver.NewGlobal(table, cfg)
			require.NoError(t, err)
			method, contentType, header := tt.method, tt.contentType, tt.header
			if method == "" {
				method = http.MethodPost
			}
			if contentType == "" {
				contentType = "application/json"
			}
			var h http.Handler = global
			if header == nil {
				header, h = bearer, guarded(t, issuer, "revoke", global)
			}
			got := send(t, method, serve(t, h), contentType, tt.body, header)
			assert.Equal(t, tt.status, got.StatusCode)
			assert.Empty(t, got.body)
			assert.Equal(t, append([]string{}, tt.want...), entriesOf(own))
		})
	}
}

func TestNewGlobal_faults(t *testing.T) {
	t.Parallel()
	_, err := receiver.NewGlobal(nil, receiver.GlobalConfig{Issuers: []string{""}})
	require.Error(t, err)
	assert.ErrorContains(t, err, "receiver: NewGlobal: table is nil")
	assert.ErrorContains(t, err, "Config.Issuers")
}
