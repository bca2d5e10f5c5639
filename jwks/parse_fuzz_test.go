package jwks_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// Parse never panics; whatever key it accepts is within the bounds, is the one
// that the document has in that place, read by jwx and read by hand, and is
// found for the algorithms that it fits and no other.
func FuzzParse(f *testing.F) {
	good := jwkOf("ES256", nil)
	for _, key := range goodKeys() {
		f.Add(keySet(jwkOf(key.algorithm, key.change)))
	}
	for _, key := range badKeys() {
		f.Add(keySet(key.jwk, good))
	}
	for _, document := range badDocuments() {
		f.Add(document.document)
	}
	f.Add(keySet(rsaKey(8192), jwkOf("RS256", members{"e": "f____w"})))
	f.Fuzz(func(t *testing.T, document []byte) {
		set, err := jwks.Parse(document)
		if err != nil {
			require.Nil(t, set)
			return
		}
		require.NotEmpty(t, set.Keys())
		require.LessOrEqual(t, len(set.Keys()), 1000)
		var top map[string]json.RawMessage // unlike a struct, heeds the case of names
		var raw []json.RawMessage
		if json.Unmarshal(document, &top) != nil || top["keys"] == nil { // in another form
			for _, key := range set.Keys() {
				checkLookup(t, set, key)
			}
			return
		}
		require.NoError(t, json.Unmarshal(top["keys"], &raw))
		if len(raw) > 1000 {
			return // some are neither accepted nor listed
		}
		require.Len(t, raw, len(set.Keys())+len(set.Skipped()))

		accepted := set.Keys()
		skipped := set.Skipped()
		for i, raw := range raw {
			if len(skipped) > 0 && skipped[0].Index == i {
				assert.NotEmpty(t, skipped[0].Reason)
				assert.LessOrEqual(t, len(skipped[0].KeyID), 64)
				skipped = skipped[1:]
				continue
			}
			require.NotEmpty(t, accepted, "key %d is neither accepted nor skipped", i)
			checkAgainst(t, accepted[0], raw)
			checkLookup(t, set, accepted[0])
			accepted = accepted[1:]
		}
	})
}

func checkAgainst(t *testing.T, key *jwks.Key, raw json.RawMessage) {
	t.Helper()
	// RFC 7517 section 4: of members that are repeated, only the last counts.
	var unique map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &unique))
	raw, err := json.Marshal(unique)
	require.NoError(t, err)
	parsed, err := jwk.ParseKey(raw)
	require.NoError(t, err)
	var public any
	require.NoError(t, parsed.Raw(&public))
	require.IsType(t, public, key.Public())
	assert.Equal(t, parsed.KeyID(), key.ID())

	var members map[string]any
	require.NoError(t, json.Unmarshal(raw, &members))
	// Nil if it is not written as it should be, which jwx lets pass.
	number := func(name string) *big.Int {
		text, _ := members[name].(string)
		decoded, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil
		}
		return new(big.Int).SetBytes(decoded)
	}
	same := func(name string, got *big.Int) {
		if want := number(name); want != nil {
			assert.Zero(t, want.Cmp(got), "%s is %v, not %v", name, got, want)
		}
	}
	fits := map[string][]string{
		"RSA":     {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"},
		"P-256":   {"ES256"},
		"P-384":   {"ES384"},
		"P-521":   {"ES512"},
		"Ed25519": {"EdDSA", "Ed25519"},
	}
	var kind string
	var equal bool
	switch got := key.Public().(type) {
	case *rsa.PublicKey:
		kind = "RSA"
		equal = got.Equal(public.(crypto.PublicKey))
		same("n", got.N)
		same("e", big.NewInt(int64(got.E)))
		assert.GreaterOrEqual(t, got.N.BitLen(), 2048)
		assert.LessOrEqual(t, got.N.BitLen(), 8192)
		assert.GreaterOrEqual(t, got.E, 3)
		assert.Less(t, int64(got.E), int64(1)<<31)
		assert.Equal(t, 1, got.E%2)
		assert.Equal(t, "RSA", members["kty"])
	case *ecdsa.PublicKey:
		kind = got.Params().Name
		equal = got.Equal(public.(crypto.PublicKey))
		point, err := got.ECDH() // fails for a point off the curve
		require.NoError(t, err)
		coordinates := point.Bytes()[1:]
		half := len(coordinates) / 2
		same("x", new(big.Int).SetBytes(coordinates[:half]))
		same("y", new(big.Int).SetBytes(coordinates[half:]))
		assert.Equal(t, "EC", members["kty"])
		assert.Equal(t, kind, members["crv"])
	case ed25519.PublicKey:
		kind = "Ed25519"
		equal = got.Equal(public.(crypto.PublicKey))
		assert.Len(t, got, ed25519.PublicKeySize)
		same("x", new(big.Int).SetBytes(got))
		assert.Equal(t, "OKP", members["kty"])
		assert.Equal(t, kind, members["crv"])
	default:
		require.Failf(t, "type of key", "%T", got)
	}
	assert.True(t, equal, "jwx reads another key")
	assert.NotEmpty(t, key.Algorithms())
	assert.Subset(t, fits[kind], key.Algorithms())
	if bound := members["alg"]; bound != nil && kind != "Ed25519" {
		assert.Equal(t, []string{bound.(string)}, key.Algorithms())
	}
	assert.Contains(t, []any{nil, "sig"}, members["use"])
	if operations := members["key_ops"]; operations != nil {
		assert.Contains(t, operations, "verify")
	}
	assert.Nil(t, members["d"])
}

func checkLookup(t *testing.T, set *jwks.Set, key *jwks.Key) {
	t.Helper()
	for _, alg := range everyAlgorithm {
		found, err := set.Lookup(t.Context(), key.ID(), alg)
		assert.LessOrEqual(t, len(found), 32)
		for _, k := range found {
			assert.Contains(t, k.Algorithms(), alg)
			assert.True(t, key.ID() == "" || k.ID() == key.ID())
		}
		if slices.Contains(key.Algorithms(), alg) {
			assert.NoError(t, err)
		} else if len(found) == 0 {
			assert.Error(t, err)
		}
	}
}
