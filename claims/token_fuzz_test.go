package claims_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// What is accepted as a payload means the same to encoding/json, which reads it
// for Decode and in whatever stands behind this package. What encoding/json
// takes for an object and is refused is on the list of disagreements.
func FuzzPayload(f *testing.F) {
	for _, tt := range attacks() {
		if parts := strings.Split(tt.token, "."); len(parts) == 3 {
			if payload, err := base64.RawURLEncoding.DecodeString(parts[1]); err == nil {
				f.Add(payload)
			}
		}
	}
	for _, payload := range []string{
		`{}`, `{"scope":"a  b "}`, `{"scope":["a","b c",""],"scp":"x"}`, `{"scp":["a"]}`,
		`{"client_id":"","azp":"shop"}`, `{"aud":["a","\ud83d\ude00"],"sub":"\u0000\/\b\f\n\r\t"}`,
		`{"exp":0.000001,"nbf":1E+3,"iat":-0}`,
		`{"cnf":{},"x":[true,false,null,-0.5e-7,{"":""}],"y":1e999}`,
	} {
		f.Add([]byte(payload))
	}
	for _, d := range disagreements() {
		for _, payload := range d.payloads {
			f.Add([]byte(payload))
		}
	}
	for _, shape := range hostileShapes() {
		f.Add([]byte(shape.object(2 * measuredSize)))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := claims.FromJSON(payload, claims.Config{})
		if len(payload) >= measuredSize {
			assertThrifty(t, objectBudget(len(payload)), func() { _, _ = claims.FromJSON(payload, claims.Config{}) })
		}
		s := sighting{payload: read(payload)}
		if err != nil {
			if s.payload.members != nil && json.Valid(payload) {
				assert.NotEmpty(t, recognised(s, "", true), "%s", payload)
			}
			return
		}
		assert.Empty(t, contradicted(s, true), "%s", payload)
		assertSameAsEncodingJSON(t, c, payload)
	})
}

// What is accepted as a token jwx accepts as well, and for the same payload;
// what jwx alone accepts is on the list of disagreements.
func FuzzToken(f *testing.F) {
	for _, tt := range attacks() {
		f.Add(tt.token)
	}
	for _, d := range disagreements() {
		for _, token := range d.tokens {
			f.Add(token)
		}
	}
	verifier := fuzzVerifier(f)
	f.Fuzz(func(t *testing.T, token string) { judge(t, verifier, token) })
}

// The issuer signs what the fuzzer writes, so that it gets past the signature.
func FuzzSignedToken(f *testing.F) {
	addParts := func(token string) {
		if parts := strings.Split(token, "."); len(parts) == 3 {
			header, err1 := base64.RawURLEncoding.DecodeString(parts[0])
			payload, err2 := base64.RawURLEncoding.DecodeString(parts[1])
			if err1 == nil && err2 == nil {
				f.Add(string(header), string(payload))
			}
		}
	}
	for _, tt := range attacks() {
		addParts(tt.token)
	}
	for _, d := range disagreements() {
		for _, token := range d.tokens {
			addParts(token)
			// With a header of this target's key the payload gets as far as it
			// did.
			f.Add(head(m{"alg": "EdDSA", "kid": "ed25519"}), string(sight(token).payload.text))
		}
	}
	verifier := fuzzVerifier(f)
	f.Fuzz(func(t *testing.T, header, payload string) {
		caller := judge(t, verifier, forgedBy("ed25519", "EdDSA", header, payload))
		if caller == nil {
			return
		}
		assertSameAsEncodingJSON(t, caller, []byte(payload))
		assert.Equal(t, issuerURL, caller.Issuer())
		assert.Contains(t, caller.Audience(), claimstest.Audience)
		assert.Greater(t, caller.ExpiresAt(), time.Now().Add(-time.Minute))
		var theirs struct {
			Algorithm string `json:"alg"`
			KeyID     string `json:"kid"`
			Type      string `json:"typ"`
			Critical  any    `json:"crit"`
			Base64    *bool  `json:"b64"`
		}
		require.NoError(t, json.Unmarshal([]byte(header), &theirs))
		assert.Contains(t, []string{"EdDSA", "Ed25519"}, theirs.Algorithm)
		assert.Contains(t, []string{"", "ed25519"}, theirs.KeyID)
		assert.Nil(t, theirs.Critical)
		assert.True(t, theirs.Base64 == nil || *theirs.Base64)
	})
}

func fuzzVerifier(t testing.TB) *claims.Verifier {
	t.Helper()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: set,
	})
	require.NoError(t, err)
	return verifier
}

// judge holds a verdict against that of jwx, and returns the claims of a token
// that is accepted.
func judge(t testing.TB, verifier *claims.Verifier, token string) *claims.Claims {
	t.Helper()
	authenticate := func() (*claims.Claims, error) {
		return verifier.Authenticate(t.Context(), bearer(token))
	}
	caller, err := authenticate()
	if len(token) >= measuredSize {
		assertThrifty(t, tokenBudget(len(token)), func() { _, _ = authenticate() })
	}
	if err != nil {
		assert.Nil(t, caller)
		assert.ErrorIs(t, err, claims.ErrInvalidToken)
		if jwxError(token) == nil {
			reason := claims.AsError(err).Reason()
			assert.NotEmpty(t, recognised(sight(token), reason, false),
				"jwx accepts what is refused for %s: %s", reason, token)
		}
		return nil
	}
	assert.Empty(t, contradicted(sight(token), false), token)
	assertAcceptedByJWX(t, caller, token)
	return caller
}
