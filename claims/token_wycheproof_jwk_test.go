package claims_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/conformance"
	"github.com/sallyport-go/sallyport/jwks"
)

// wycheproofJWKDeviations are by vector. The ROCA weakness is the issuer's to
// avoid: to look for it in every modulus is no part of RFC 7517 or RFC 7518.
var wycheproofJWKDeviations = map[int]string{
	7: "a modulus is not searched for the ROCA weakness",
}

// wycheproofKeys has Parse and Lookup judge keys, each of which comes with a
// JWS that is right if the key is.
func wycheproofKeys(t *testing.T) []*conformance.Row {
	row := &conformance.Row{Suite: "Wycheproof json_web_key"}
	for _, group := range conformance.Wycheproof(t, "json_web_key_test.json").TestGroups {
		for _, vector := range group.Tests {
			if group.Public == nil {
				accepted, _ := judgeKey(t, group.Private, string(vector.JWS))
				assert.False(t, accepted, "%v: by HMAC", vector)
				row.Skip("HMAC, whose keys are refused")
				continue
			}
			accepted, piece := judgeKey(t, group.Public, string(vector.JWS))
			reason, deviates := wycheproofJWKDeviations[vector.ID]
			switch {
			case deviates:
				assert.NotEqual(t, vector.Valid(), accepted, "%v: no deviation any more", vector)
				row.Deviate(strconv.Itoa(vector.ID), reason, piece)
			case assert.Equal(t, vector.Valid(), accepted, "%v: by %s", vector, piece):
				row.Pass(piece)
			}
		}
	}
	return []*conformance.Row{row}
}

// judgeKey reports whether a key is found for a token, and which piece decided.
// One that is found must verify the token, by jwx.
func judgeKey(t *testing.T, document []byte, token string) (accepted bool, piece string) {
	t.Helper()
	encoded, _, _ := strings.Cut(token, ".")
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	require.NoError(t, err)
	var header struct{ Alg, Kid string }
	require.NoError(t, json.Unmarshal(decoded, &header))
	set, err := jwks.Parse(document)
	if err != nil {
		return false, "jwks.Parse"
	}
	found, err := set.Lookup(t.Context(), header.Kid, header.Alg)
	if err != nil {
		return false, "jwks.Lookup"
	}
	require.Len(t, found, 1)
	_, err = jws.Verify([]byte(token),
		jws.WithKey(jwa.SignatureAlgorithm(header.Alg), found[0].Public()))
	require.Equal(t, isApproved(found[0].Public()), err == nil, "%v", err)
	return true, "jwks.Lookup"
}

// rfcKeys are the JWKs of RFC 8037 appendix A.1 to A.3 and RFC 7638 section
// 3.1.
func rfcKeys(t *testing.T) []*conformance.Row {
	data, err := os.ReadFile("testdata/rfc_keys.json")
	require.NoError(t, err)
	var vectors []struct {
		Source     string          `json:"source"`
		JWK        json.RawMessage `json:"jwk"`
		Skipped    string          `json:"skipped"` // the reason for leaving it out
		Algorithms []string        `json:"algorithms"`
		Thumbprint string          `json:"thumbprint"`
	}
	require.NoError(t, json.Unmarshal(data, &vectors))
	okp := &conformance.Row{Suite: "RFC 8037 keys"}
	thumbprint := &conformance.Row{Suite: "RFC 7638 thumbprint"}
	for _, vector := range vectors {
		row := okp
		if strings.HasPrefix(vector.Source, "RFC 7638") {
			row = thumbprint
		}
		t.Run(vector.Source, func(t *testing.T) {
			set, err := jwks.Parse([]byte(fmt.Sprintf(`{"keys":[%s,%s]}`, vector.JWK, encodeJSON(forger()["p256"].jwk))))
			require.NoError(t, err)
			if vector.Skipped != "" {
				require.Len(t, set.Skipped(), 1)
				assert.Equal(t, vector.Skipped, set.Skipped()[0].Reason)
				row.Pass("jwks.Parse")
				return
			}
			require.Len(t, set.Keys(), 2)
			key := set.Keys()[0]
			assert.Equal(t, vector.Algorithms, key.Algorithms())
			assert.Equal(t, vector.Thumbprint,
				key.Thumbprint())
			row.Pass("jwks.Parse")
		})
	}
	return []*conformance.Row{okp, thumbprint}
}
