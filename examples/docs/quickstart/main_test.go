package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func TestService(t *testing.T) {
	issuer := claimstest.Start(t, claimstest.Config{}) // real keys, real tokens
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	r := httptest.NewRequest("GET", "/orders", nil)
	r.Header.Set("Authorization", "Bearer "+issuer.Mint(claimstest.Token{
		Subject: "alice", Scope: "orders:read", Claims: map[string]any{"tenant": "t1"},
	}))
	w := httptest.NewRecorder()
	newService(verifier).ServeHTTP(w, r)
	assert.Equal(t, "orders of alice at t1\n", w.Body.String())

	w = httptest.NewRecorder()
	newService(verifier).ServeHTTP(w, httptest.NewRequest("GET", "/orders", nil))
	assert.Equal(t, http.StatusUnauthorized, w.Code)
}
