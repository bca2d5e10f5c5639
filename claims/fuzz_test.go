package claims_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// What is accepted as a payload means the same to encoding/json, which reads it
// for Decode and in whatever stands behind this package.
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
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := claims.FromJSON(payload)
		if err != nil {
			return
		}
		assertSameAsEncodingJSON(t, c, payload)
	})
}

func assertSameAsEncodingJSON(t testing.TB, c *claims.Claims, payload []byte) {
	t.Helper()
	var object map[string]json.RawMessage // any could not hold 1e999
	require.NoError(t, json.Unmarshal(payload, &object))
	require.NotNil(t, object)
	// By its fields encoding/json matches names in any case.
	var theirs struct {
		Issuer    string      `json:"iss"`
		Subject   string      `json:"sub"`
		ID        string      `json:"jti"`
		ClientID  string      `json:"client_id"`
		Azp       string      `json:"azp"`
		Audience  any         `json:"aud"`
		Scope     any         `json:"scope"`
		Scp       any         `json:"scp"`
		ExpiresAt json.Number `json:"exp"`
		NotBefore json.Number `json:"nbf"`
		IssuedAt  json.Number `json:"iat"`
	}
	require.NoError(t, c.Decode(&theirs))
	assert.Equal(t, theirs.Issuer, c.Issuer())
	assert.Equal(t, theirs.Subject, c.Subject())
	assert.Equal(t, theirs.ID, c.ID())
	if theirs.ClientID == "" {
		theirs.ClientID = theirs.Azp
	}
	assert.Equal(t, theirs.ClientID, c.ClientID())
	assert.Equal(t, theirs.Audience, shapeOf(theirs.Audience, c.Audience()))
	granted := theirs.Scope
	if granted == nil {
		granted = theirs.Scp
	}
	if words, ok := granted.(string); ok {
		var list []any
		for word := range strings.SplitSeq(words, " ") {
			if word != "" {
				list = append(list, word)
			}
		}
		granted = list
	}

	assert.ElementsMatch(t, granted, shapeOf([]any{}, c.Scopes()))
	assertTime(t, theirs.ExpiresAt, c.ExpiresAt())
	assertTime(t, theirs.NotBefore, c.NotBefore())
	assertTime(t, theirs.IssuedAt, c.IssuedAt())
	for _, scope := range c.Scopes() {
		assert.True(t, c.HasScope(scope))
	}
}

// shapeOf is list as encoding/json has it where it has like.
func shapeOf(like any, list []string) any {
	switch like.(type) {
	case nil:
		if len(list) == 0 {
			return nil
		}
	case string:
		if len(list) == 1 {
			return list[0]
		}
	}
	values := []any{}
	for _, s := range list {
		values = append(values, s)
	}
	return values
}

func assertTime(t testing.TB, want json.Number, got time.Time) {
	t.Helper()
	if want == "" {
		assert.True(t, got.IsZero())
		return
	}
	require.False(t, got.IsZero())
	if seconds, err := want.Int64(); err == nil {
		assert.Equal(t, seconds, got.Unix())
		assert.Zero(t, got.Nanosecond())
		return
	}
	seconds, err := want.Float64()
	require.NoError(t, err)
	assert.InDelta(t, seconds, float64(got.Unix())+float64(got.Nanosecond())/1e9, 1e-4)
}

// What is accepted as a token jwx accepts as well, and for the same payload.
func FuzzToken(f *testing.F) {
	for _, tt := range attacks() {
		f.Add(tt.token)
	}
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(f, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: set,
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, token string) {
		caller, err := verifier.Authenticate(t.Context(), bearer(token))
		if err != nil {
			assert.Nil(t, caller)
			assert.ErrorIs(t, err, claims.ErrInvalidToken)
			return
		}
		assertAcceptedByJWX(t, caller, token)
	})
}

// The issuer signs what the fuzzer writes, so that it gets past the signature.
func FuzzSignedToken(f *testing.F) {
	for _, tt := range attacks() {
		if parts := strings.Split(tt.token, "."); len(parts) == 3 {
			header, err1 := base64.RawURLEncoding.DecodeString(parts[0])
			payload, err2 := base64.RawURLEncoding.DecodeString(parts[1])
			if err1 == nil && err2 == nil {
				f.Add(string(header), string(payload))
			}
		}
	}
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(f, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: set,
	})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, header, payload string) {
		token := forgedBy("ed25519", "EdDSA", header, payload)
		caller, err := verifier.Authenticate(t.Context(), bearer(token))
		if err != nil {
			assert.Nil(t, caller)
			assert.ErrorIs(t, err, claims.ErrInvalidToken)
			return
		}
		assertAcceptedByJWX(t, caller, token)
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

func assertAcceptedByJWX(t testing.TB, caller *claims.Claims, token string) {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	require.NoError(t, json.Unmarshal(unb64(parts[0]), &header))
	algorithm := jwa.SignatureAlgorithm(header.Algorithm)
	if header.Algorithm == "Ed25519" { // RFC 9864, younger than jwx v2
		algorithm = jwa.EdDSA
	}
	var faults []error
	for _, id := range issuerKeys {
		if header.KeyID != "" && header.KeyID != id {
			continue
		}
		payload, err := jws.Verify([]byte(token), jws.WithKey(algorithm, forger()[id].private.Public()))
		if err == nil {
			assert.Equal(t, unb64(parts[1]), payload)
			var theirs, ours map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(payload, &theirs))
			require.NoError(t, caller.Decode(&ours))
			assert.Equal(t, theirs, ours)
			return
		}
		faults = append(faults, err)
	}
	assert.Fail(t, "jwx does not accept the token", "%s\n%v", token, faults)
}
