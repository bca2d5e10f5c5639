package claims_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/claims/internal/jws"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/conformance"
	"github.com/sallyport-go/sallyport/jwks"
)

// rfcVector is an example of a JWS, as its RFC prints it.
type rfcVector struct {
	Source   string            `json:"source"`
	Keys     []json.RawMessage `json:"keys"`
	Compact  string            `json:"compact"`
	JSON     json.RawMessage   `json:"json"`     // where it has no compact serialization
	Detached string            `json:"detached"` // the payload that is sent apart
	Refused  claims.Reason     `json:"refused"`  // empty: the signature is accepted
}

func (v rfcVector) text() string { return v.Compact + string(v.JSON) }

// rfcSignature is one signature of an example.
type rfcSignature struct {
	Protected string `json:"protected"`
	Header    struct {
		Algorithm string `json:"alg"`
	} `json:"header"`
	Signature string `json:"signature"`
}

// signatures takes an example apart without the code under test.
func (v rfcVector) signatures(t *testing.T) (list []rfcSignature, payload string) {
	t.Helper()
	if v.JSON != nil {
		var document struct {
			Payload    string         `json:"payload"`
			Signatures []rfcSignature `json:"signatures"`
		}
		require.NoError(t, json.Unmarshal(v.JSON, &document))
		return document.Signatures, document.Payload
	}
	parts := strings.Split(v.Compact, ".")
	require.Len(t, parts, 3)
	return []rfcSignature{{Protected: parts[0], Signature: parts[2]}}, parts[1] + v.Detached
}

// requireGenuine asserts that every signature of an example is right by one of
// its keys, so that a wrong copy of it, which is refused too, is noticed.
func (v rfcVector) requireGenuine(t *testing.T) {
	t.Helper()
	list, payload := v.signatures(t)
	require.NotEmpty(t, list)
	for _, signature := range list {
		algorithm := signature.Header.Algorithm
		if signature.Protected != "" {
			var protected struct {
				Algorithm string `json:"alg"`
			}
			require.NoError(t, json.Unmarshal(unb64(signature.Protected), &protected))
			algorithm = protected.Algorithm
		}
		input := []byte(signature.Protected + "." + payload)
		genuine := algorithm == "none" && signature.Signature == ""
		for _, key := range v.Keys {
			genuine = genuine || verifiesByKey(t, key, algorithm, input, unb64(signature.Signature))
		}
		require.True(t, genuine, "%s: not as it is in the RFC", algorithm)
	}
}

func verifiesByKey(t *testing.T, jwk []byte, algorithm string, input, signature []byte) bool {
	t.Helper()
	if algorithm == "HS256" {
		var secret struct {
			Key string `json:"k"`
		}
		require.NoError(t, json.Unmarshal(jwk, &secret))
		if secret.Key == "" {
			return false
		}
		mac := hmac.New(sha256.New, unb64(secret.Key))
		mac.Write(input)
		return hmac.Equal(mac.Sum(nil), signature)
	}
	set, err := jwks.Parse(keySetOf(jwk))
	if err != nil { // a secret
		return false
	}
	found, err := set.Lookup(t.Context(), "", algorithm)
	return err == nil && jws.Asymmetric.Verify(algorithm, found[0].Public(), input, signature)
}

func keySetOf(keys ...json.RawMessage) []byte { return encodeJSON(m{"keys": keys}) }

func readRFCVectors(t *testing.T) []rfcVector {
	t.Helper()
	data, err := os.ReadFile("testdata/rfc.json")
	require.NoError(t, err)
	var list []rfcVector
	require.NoError(t, json.Unmarshal(data, &list))
	return list
}

func rfcVectors(t *testing.T) []*conformance.Row {
	var rows []*conformance.Row
	for _, vector := range readRFCVectors(t) {
		document, _, _ := strings.Cut(strings.TrimPrefix(vector.Source, "RFC "), " ")
		if last := len(rows) - 1; last < 0 || rows[last].Suite != "RFC "+document {
			rows = append(rows, &conformance.Row{Suite: "RFC " + document})
		}
		row := rows[len(rows)-1]
		t.Run(vector.Source, func(t *testing.T) {
			vector.requireGenuine(t)
			accepted, piece := judgeJWS(t, keySetOf(vector.Keys...), vector.text())
			assertNoClaims(t, issuerKeySet(), vector.text())
			if vector.Refused != "" {
				assert.False(t, accepted)
				_, err := claims.ParseJWS(vector.text())
				assertRefused(t, nil, err, vector.Refused)
				row.Pass(piece)
				return
			}
			assert.True(t, accepted)
			assert.Equal(t, bySignature, piece)
			accepted, piece = judgeJWS(t, keySetOf(vector.Keys...), corrupted(vector.Compact))
			assert.False(t, accepted)
			assert.Equal(t, bySignature, piece)
			row.Pass(piece)
		})
	}
	return rows
}

// corrupted changes one bit of a signature.
func corrupted(token string) string {
	dot := strings.LastIndexByte(token, '.')
	signature := unb64(token[dot+1:])
	signature[len(signature)/2] ^= 1
	return token[:dot+1] + b64(signature)
}
