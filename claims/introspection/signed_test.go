package introspection_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/jwks"
)

// A signed answer counts if it is the issuer's, for this client, and of now
// (RFC 9701); nothing else is taken for one.
func TestIntrospector_signed(t *testing.T) {
	t.Parallel()
	key, other := claimstest.MustKey("ES256"), claimstest.MustKey("ES256")
	keys, err := jwks.NewSet(key.Public())
	require.NoError(t, err)
	header := m{"alg": "ES256", "typ": "token-introspection+jwt"}
	payload := m{"iss": issuer, "aud": "orders", "iat": time.Now().Unix(), "token_introspection": good(nil)}
	with := func(of m, name string, value any) m {
		changed := m{}
		for name, value := range of {
			changed[name] = value
		}
		if changed[name] = value; value == nil {
			delete(changed, name)
		}
		return changed
	}
	sign := func(by *claimstest.Key, header, payload any) string {
		h, err := json.Marshal(header)
		require.NoError(t, err)
		p, err := json.Marshal(payload)
		require.NoError(t, err)
		return by.Sign(h, p)
	}
	right := sign(key, header, payload)
	const signed = "application/token-introspection+jwt"
	for _, tt := range []struct {
		name, mediaType, body string
		reason                claims.Reason
	}{
		{name: "right", body: right},
		{name: "white space around it", body: "\n" + right + "\n"},
		{name: "typ in full", body: sign(key, with(header, "typ", "application/Token-Introspection+JWT"), payload)},
		{name: "several audiences", body: sign(key, header, with(payload, "aud", []string{"x", "orders"}))},
		{name: "not active", body: sign(key, header, with(payload, "token_introspection", m{"active": false})), reason: claims.ReasonRejected},
		{name: "plain JSON", mediaType: "application/json", body: `{"active":true,"aud":"` + audience + `"}`, reason: claims.ReasonUndecided},
		{name: "plain JSON as signed", body: `{"active":true,"aud":"` + audience + `"}`, reason: claims.ReasonUndecided},
		{name: "another key", body: sign(other, header, payload), reason: claims.ReasonUndecided},
		{name: "changed", body: right[:len(right)-90] + "A" + right[len(right)-89:], reason: claims.ReasonUndecided},
		{name: "no signature", body: right[:len(right)-86], reason: claims.ReasonUndecided},
		{name: "an access token", body: sign(key, with(header, "typ", "at+jwt"), payload), reason: claims.ReasonUndecided},
		{name: "no typ", body: sign(key, with(header, "typ", nil), payload), reason: claims.ReasonUndecided},
		{name: "alg none", body: sign(key, with(header, "alg", "none"), payload), reason: claims.ReasonUndecided},
		{name: "alg HS256", body: sign(key, with(header, "alg", "HS256"), payload), reason: claims.ReasonUndecided},
		{name: "crit", body: sign(key, with(header, "crit", []string{"x"}), payload), reason: claims.ReasonUndecided},
		{name: "another issuer", body: sign(key, header, with(payload, "iss", "https://other.example")), reason: claims.ReasonUndecided},
		{name: "no issuer", body: sign(key, header, with(payload, "iss", nil)), reason: claims.ReasonUndecided},
		{name: "another client", body: sign(key, header, with(payload, "aud", "invoices")), reason: claims.ReasonUndecided},
		{name: "no client", body: sign(key, header, with(payload, "aud", nil)), reason: claims.ReasonUndecided},
		{name: "long ago", body: sign(key, header, with(payload, "iat", time.Now().Add(-time.Hour).Unix())), reason: claims.ReasonUndecided},
		{name: "to come", body: sign(key, header, with(payload, "iat", time.Now().Add(time.Hour).Unix())), reason: claims.ReasonUndecided},
		{name: "at no time", body: sign(key, header, with(payload, "iat", nil)), reason: claims.ReasonUndecided},
		{name: "no answer", body: sign(key, header, with(payload, "token_introspection", nil)), reason: claims.ReasonUndecided},
		{name: "an answer beside", body: sign(key, header, m{"iss": issuer, "aud": "orders", "iat": time.Now().Unix(), "active": true}), reason: claims.ReasonUndecided},
		{name: "five segments", body: right + ".x.y", reason: claims.ReasonUndecided},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &authority{}
			mediaType := tt.mediaType
			if mediaType == "" {
				mediaType = signed
			}
			a.set("opaque", text(200, mediaType, tt.body))
			in := a.start(t, func(cfg *introspection.Config) { cfg.SignedBy = keys })
			caller, err := in.Authenticate(t.Context(), bearer("opaque"))
			if tt.reason == "" {
				require.NoError(t, err)
				assert.Equal(t, "alice", caller.Subject())
				return
			}
			class := claims.ErrInvalidToken
			if tt.reason == claims.ReasonUndecided {
				class = claims.ErrUnavailable
			}
			assertRefused(t, class, tt.reason, caller, err)
		})
	}
	_, err = introspection.New(introspection.Config{
		Endpoint: "https://issuer.example", Client: introspection.BearerTokenFile("x"), SignedBy: (*jwks.Set)(nil),
		Accept: claims.Config{Issuer: issuer, InsecureSkipAudience: true},
	})
	require.ErrorContains(t, err, "Config.SignedBy is a nil *jwks.Set")
	require.ErrorContains(t, err, "Config.SignedBy needs a Client that has an ID")
}
