package jwks_test

import (
	"encoding/base64"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

type goodKey struct {
	name       string
	algorithm  string // of the key pair
	change     members
	algorithms []string // that the key is to fit
}

func goodKeys() []goodKey {
	rsa := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	eddsa := []string{"EdDSA", "Ed25519"}
	bare := members{"alg": omit, "use": omit, "kid": omit}
	padded := "AAEAAQ" // 65537 with a leading zero
	return []goodKey{
		{"RSA", "RS256", nil, rsa[:1]},
		{"RSA bound to PS256", "PS256", nil, []string{"PS256"}},
		{"RSA without alg", "RS256", members{"alg": omit}, rsa},
		{"RSA with alg null", "RS256", members{"alg": nil}, rsa},
		{"RSA bare", "RS256", bare, rsa},
		{"RSA exponent with a leading zero", "RS256", members{"e": padded}, rsa[:1]},
		{"P-256", "ES256", nil, []string{"ES256"}},
		{"P-256 bare", "ES256", bare, []string{"ES256"}},
		{"P-384", "ES384", nil, []string{"ES384"}},
		{"P-384 bare", "ES384", bare, []string{"ES384"}},
		{"P-521", "ES512", nil, []string{"ES512"}},
		{"P-521 bare", "ES512", bare, []string{"ES512"}},
		{"Ed25519", "EdDSA", nil, eddsa},
		{"Ed25519 with the alg of RFC 9864", "EdDSA", members{"alg": "Ed25519"}, eddsa},
		{"Ed25519 bare", "EdDSA", bare, eddsa},
		{"use null", "ES256", members{"use": nil}, []string{"ES256"}},
		{"key_ops", "ES256", members{"key_ops": []string{"verify"}}, []string{"ES256"}},
		{"key_ops without use", "ES256",
			members{"use": omit, "key_ops": []string{"verify"}}, []string{"ES256"}},
		{"key_ops with sign", "ES256",
			members{"key_ops": []string{"sign", "verify"}}, []string{"ES256"}},
		{"key_ops null", "ES256", members{"key_ops": nil}, []string{"ES256"}},
		{"kid empty", "ES256", members{"kid": ""}, []string{"ES256"}},
		{"kid null", "ES256", members{"kid": nil}, []string{"ES256"}},
		{"kid of 1000 bytes", "ES256",
			members{"kid": strings.Repeat("k", 1000)}, []string{"ES256"}},
		// RFC 7517 section 4: members that are not understood are ignored.
		{"further members", "ES256",
			members{"exp": 1, "iss": "x", "ext": true, "nested": members{"kty": "oct"}},
			[]string{"ES256"}},
	}
}

func TestParse_acceptsGoodKeys(t *testing.T) {
	t.Parallel()
	for _, tt := range goodKeys() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := testKey(tt.algorithm)
			set, err := jwks.Parse(keySet(jwkOf(tt.algorithm, tt.change)))
			require.NoError(t, err)
			assert.Empty(t, set.Skipped())
			require.Len(t, set.Keys(), 1)
			got := set.Keys()[0]
			want := key.ID
			if changed, ok := tt.change["kid"]; ok {
				want, _ = changed.(string)
			}
			assert.Equal(t, want, got.ID())
			assert.Equal(t, tt.algorithms, got.Algorithms())
			assert.Equal(t, key.Public(), got.Public())
			requireVerifies(t, got, key)

			for _, alg := range everyAlgorithm {
				found, err := set.Lookup(t.Context(), want, alg)
				switch {
				case slices.Contains(tt.algorithms, alg):
					require.NoError(t, err, alg)
					assert.Equal(t, []*jwks.Key{got}, found, alg)
				case want == "":
					assert.ErrorIs(t, err, jwks.ErrUnknownKey, alg)
				default:
					assert.ErrorIs(t, err, jwks.ErrKeyMismatch, alg)
				}
			}
		})
	}
}

var everyAlgorithm = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
	"EdDSA", "Ed25519", "ES256K", "HS256", "none", "",
}

type badKey struct {
	name   string
	jwk    string
	keyID  string
	reason string
}

// modulus returns an odd number of so many bits.
func modulus(bits uint) string {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return base64.RawURLEncoding.EncodeToString(n.SetBit(n, 0, 1).Bytes())
}

func rsaKey(bits uint) string {
	return jwkOf("RS256", members{"kid": "bad", "n": modulus(bits)})
}

func badKeys() []badKey {
	bad := func(name, reason, algorithm string, change members) badKey {
		if _, ok := change["kid"]; !ok {
			change["kid"] = "bad"
		}
		keyID, _ := change["kid"].(string)
		return badKey{name, jwkOf(algorithm, change), keyID, reason}
	}
	long := strings.Repeat("k", 63) + "<the rest>"
	return []badKey{
		{"ML-DSA", `{"kty":"AKP","alg":"ML-DSA-44","kid":"bad","pub":"AAAA"}`,
			"bad", "unsupported_type"},
		{"oct", `{"kty":"oct","alg":"HS256","kid":"bad","k":"c2VjcmV0"}`,
			"bad", "unsupported_type"},
		{"type in another case", `{"kty":"rsa","kid":"bad"}`, "bad", "unsupported_type"},
		bad("X25519", "unsupported_curve", "EdDSA", members{"crv": "X25519", "alg": omit}),
		bad("Ed448", "unsupported_curve", "EdDSA", members{"crv": "Ed448"}),
		bad("secp256k1", "unsupported_curve", "ES256",
			members{"crv": "secp256k1", "alg": "ES256K"}),
		bad("EC without curve", "unsupported_curve", "ES256", members{"crv": omit}),
		bad("EC with the curve of Edwards", "unsupported_curve", "ES256",
			members{"crv": "Ed25519"}),
		bad("use enc", "use", "RS256", members{"use": "enc"}),
		bad("use empty", "use", "RS256", members{"use": ""}),
		bad("key_ops without verify", "key_ops", "ES256",
			members{"use": omit, "key_ops": []string{"sign", "encrypt"}}),
		bad("key_ops empty", "key_ops", "ES256", members{"key_ops": []string{}}),
		bad("alg RSA-OAEP", "unsupported_algorithm", "RS256", members{"alg": "RSA-OAEP"}),
		bad("alg HS256 on RSA", "unsupported_algorithm", "RS256", members{"alg": "HS256"}),
		bad("alg none", "unsupported_algorithm", "RS256", members{"alg": "none"}),
		bad("alg empty", "unsupported_algorithm", "RS256", members{"alg": ""}),
		bad("ES256 on P-384", "unsupported_algorithm", "ES384", members{"alg": "ES256"}),
		bad("ES384 on P-256", "unsupported_algorithm", "ES256", members{"alg": "ES384"}),
		bad("RS256 on EC", "unsupported_algorithm", "ES256", members{"alg": "RS256"}),
		bad("EdDSA on EC", "unsupported_algorithm", "ES256", members{"alg": "EdDSA"}),
		bad("Ed448 on Ed25519", "unsupported_algorithm", "EdDSA", members{"alg": "Ed448"}),
		{"RSA of 1024 bits", rsaKey(1024), "bad", "key_size"},
		{"RSA of 2047 bits", rsaKey(2047), "bad", "key_size"},
		{"RSA of 8193 bits", rsaKey(8193), "bad", "key_size"},
		{"RSA of 16384 bits", rsaKey(16384), "bad", "key_size"},
		bad("RSA modulus padded to 2048 bits", "key_size", "RS256",
			members{"n": strings.Repeat("A", 300) + "AQ"}),
		bad("RSA exponent 1", "malformed", "RS256", members{"e": "AQ"}),
		bad("RSA exponent 0", "malformed", "RS256", members{"e": "AA"}),
		bad("RSA exponent 2", "malformed", "RS256", members{"e": "Ag"}),
		bad("RSA exponent 65536", "malformed", "RS256", members{"e": "AQAA"}),
		// 2^64+65537, which a conversion to 64 bits makes 65537.
		bad("RSA exponent overlong", "malformed", "RS256", members{"e": "AQAAAAAAAQAB"}),
		bad("RSA exponent empty", "malformed", "RS256", members{"e": ""}),
		bad("RSA exponent missing", "malformed", "RS256", members{"e": omit}),
		bad("RSA modulus missing", "malformed", "RS256", members{"n": omit}),
		bad("RSA modulus not base64", "malformed", "RS256", members{"n": "***"}),
		bad("point off the curve", "malformed", "ES256",
			members{"x": testKey("ES256").JWK()["y"]}),
		bad("point 0, 0", "malformed", "ES256", members{"x": "AA", "y": "AA"}),
		bad("point of another curve", "malformed", "ES384",
			members{"crv": "P-256", "alg": "ES256"}),
		bad("coordinate missing", "malformed", "ES256", members{"y": omit}),
		bad("coordinate overlong", "malformed", "ES256",
			members{"x": strings.Repeat("f", 200)}),
		bad("Ed25519 too short", "malformed", "EdDSA", members{"x": "AAAA"}),
		bad("Ed25519 too long", "malformed", "EdDSA",
			members{"x": strings.Repeat("A", 44)}),
		bad("Ed25519 missing", "malformed", "EdDSA", members{"x": omit}),
		bad("private EC", "private", "ES256", members{"d": "AAAA"}),
		bad("private RSA", "private", "RS256", members{"d": "AAAA"}),
		bad("private Ed25519", "private", "EdDSA", members{"d": "AAAA"}),
		bad("private of a wrong type", "private", "ES256", members{"d": 1}),
		bad("private empty", "private", "ES256", members{"d": ""}),
		bad("kid a number", "malformed", "ES256", members{"kid": 7}),
		bad("kid an array", "malformed", "ES256", members{"kid": []string{"bad"}}),
		bad("kty missing", "malformed", "ES256", members{"kty": omit}),
		bad("kid cut to 64 bytes", "use", "ES256", members{"kid": long, "use": "enc"}),
		{"null", `null`, "", "malformed"},
		{"a string", `"key"`, "", "malformed"},
		{"an array", `[]`, "", "malformed"},
		{"a number", `7`, "", "malformed"},
		{"an empty object", `{}`, "", "malformed"},
	}
}

func TestParse_skipsBadKeysOneByOne(t *testing.T) {
	t.Parallel()
	reasons := map[string]bool{}
	for _, tt := range badKeys() {
		reasons[tt.reason] = true
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			good := testKey("ES256")
			want := tt.keyID[:min(len(tt.keyID), 64)]
			for index, document := range [][]byte{
				keySet(tt.jwk, jwkOf("ES256", nil)),
				keySet(jwkOf("ES256", nil), tt.jwk),
			} {
				set, err := jwks.Parse(document)
				require.NoError(t, err)
				assert.Equal(t, []jwks.Skipped{{Index: index, KeyID: want, Reason: tt.reason}},
					set.Skipped())
				require.Len(t, set.Keys(), 1)
				requireKey(t, set, good)
				if tt.keyID != "" {
					_, err = set.Lookup(t.Context(), tt.keyID, "ES256")
					assert.ErrorIs(t, err, jwks.ErrUnknownKey)
				}
			}

			set, err := jwks.Parse(keySet(tt.jwk))
			require.Error(t, err, "alone it is no key set")
			assert.Nil(t, set)
		})
	}
	documented := []string{
		"malformed", "unsupported_type", "unsupported_curve", "unsupported_algorithm", "use",
		"key_ops", "key_size", "private",
	}
	for _, reason := range documented {
		assert.Contains(t, reasons, reason, "no test for this reason")
	}
	assert.Len(t, reasons, len(documented))
}

func TestParse_skipsAllBadKeysBesideAGoodOne(t *testing.T) {
	t.Parallel()
	var documents []string
	all := badKeys()
	for _, bad := range all {
		documents = append(documents, bad.jwk)
	}
	require.Less(t, len(documents), 100)
	set, err := jwks.Parse(keySet(append(documents, jwkOf("EdDSA", nil))...))
	require.NoError(t, err)
	require.Len(t, set.Keys(), 1)
	requireKey(t, set, testKey("EdDSA"))
	require.Len(t, set.Skipped(), len(documents))
	for i, skipped := range set.Skipped() {
		assert.Equal(t, i, skipped.Index)
		assert.Equal(t, all[i].reason, skipped.Reason, all[i].name)
	}
}

// RSA keys are bound in size on both sides, the bounds themselves included.
func TestParse_acceptsRSAWithinBounds(t *testing.T) {
	t.Parallel()
	for _, bits := range []uint{2048, 3072, 4096, 8192} {
		set, err := jwks.Parse(keySet(rsaKey(bits)))
		require.NoError(t, err, bits)
		assert.Len(t, set.Keys(), 1, bits)
	}
	for _, e := range []string{"Aw", "EQ", "AQAB", "f____w"} { // 3, 17, 65537, 2^31-1
		set, err := jwks.Parse(keySet(jwkOf("RS256", members{"e": e})))
		require.NoError(t, err, e)
		assert.Len(t, set.Keys(), 1, e)
	}
}

// crypto/rsa refuses every signature by these keys, so they cannot check any.
func TestParse_skipsWhatCryptoRSARefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]members{
		"exponent 2^31+1": {"e": "gAAAAQ"},
		"exponent 2^32-1": {"e": "_____w"},
	} {
		_, err := jwks.Parse(keySet(jwkOf("RS256", change)))
		assert.Error(t, err, name)
	}
}

// RFC 7517 section 4.3: values of key_ops other than those listed may be used.
func TestParse_acceptsFurtherKeyOperations(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(keySet(jwkOf("ES256", members{"key_ops": []string{"verify", "attest"}})))
	require.NoError(t, err)
	requireKey(t, set, testKey("ES256"))
}

// JSON names are compared as they stand (RFC 8259 section 8.3), and a member
// that is not understood is ignored (RFC 7517 section 4).
func TestParse_memberNamesAreCaseSensitive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		algorithm string
		further   string // takes effect if it is read as the member proper
	}{
		{"curve", "ES256", `"CRV":"P-384"`},
		{"type", "ES256", `"Kty":"RSA"`},
		{"key ID", "ES256", `"Kid":"other"`},
		{"use", "ES256", `"Use":"enc"`},
		{"operations", "ES256", `"KEY_OPS":["sign"]`},
		{"algorithm", "RS256", `"Alg":"PS256"`},
		{"exponent", "RS256", `"E":"AQ"`},
		{"private", "ES256", `"D":"AAAA"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := testKey(tt.algorithm)
			// Without "alg", so that the curve alone decides what fits.
			change := members{"alg": omit}
			if tt.algorithm == "RS256" {
				change = nil
			}
			jwk := jwkOf(tt.algorithm, change)
			want, err := jwks.Parse(keySet(jwk))
			require.NoError(t, err)
			got, err := jwks.Parse(keySet(strings.TrimSuffix(jwk, "}") + "," + tt.further + "}"))
			require.NoError(t, err)
			require.Len(t, got.Keys(), 1)
			assert.Equal(t, key.ID, got.Keys()[0].ID())
			assert.Equal(t, want.Keys()[0].Algorithms(), got.Keys()[0].Algorithms())
			assert.Equal(t, key.Public(), got.Keys()[0].Public())
		})
	}
}

// The length of an exponent is checked before it is read, whatever it is
// called.
func TestParse_exponentIsBoundUnderItsOwnName(t *testing.T) {
	t.Parallel()
	jwk := strings.TrimSuffix(jwkOf("RS256", members{"e": "AQAAAAAAAQAB"}), "}") + `,"E":"AQAB"}`
	_, err := jwks.Parse(keySet(jwk))
	assert.Error(t, err)
}

// The kid of a key with a malformed member is readable, and operators look for
// it.
func TestParse_namesMalformedKeys(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]members{
		"key_ops a string": {"kid": "bad", "key_ops": "verify"},
		"use a number":     {"kid": "bad", "use": 1},
		"alg an array":     {"kid": "bad", "alg": []string{"ES256"}},
		"crv a number":     {"kid": "bad", "crv": 256},
		"x a number":       {"kid": "bad", "x": 1},
	} {
		set, err := jwks.Parse(keySet(jwkOf("ES256", change), jwkOf("EdDSA", nil)))
		require.NoError(t, err, name)
		assert.Equal(t, []jwks.Skipped{{Index: 0, KeyID: "bad", Reason: "malformed"}},
			set.Skipped(), name)
	}
}

type badDocument struct {
	name     string
	document []byte
}

func badDocuments() []badDocument {
	good := jwkOf("ES256", nil)
	return []badDocument{
		{"nothing", nil},
		{"empty", []byte("")},
		{"white space", []byte(" \n")},
		{"null", []byte("null")},
		{"no keys", []byte(`{"keys":[]}`)},
		{"keys null", []byte(`{"keys":null}`)},
		{"keys an object", []byte(`{"keys":{}}`)},
		{"keys a string", []byte(`{"keys":"secret-word"}`)},
		{"empty object", []byte(`{}`)},
		{"not JSON", []byte(`secret-word`)},
		{"HTML", []byte(`<!doctype html><title>secret-word</title>`)},
		{"array", []byte(`[` + good + `]`)},
		{"number", []byte(`7`)},
		{"truncated", []byte(`{"keys":[` + good)},
		{"trailing data", append(keySet(good), "secret-word"...)},
		{"two documents", append(keySet(good), keySet(good)...)},
		{"bad keys only", keySet(`{"kty":"secret-word"}`, `null`)},
	}
}

func TestParse_refusesDocuments(t *testing.T) {
	t.Parallel()
	for _, tt := range badDocuments() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			set, err := jwks.Parse(tt.document)
			require.Error(t, err)
			assert.Nil(t, set)
			assert.True(t, strings.HasPrefix(err.Error(), "jwks: "), err.Error())
			assert.NotContains(t, err.Error(), "secret", "the document is not quoted")
			assert.NotContains(t, err.Error(), "invalid character")
			assert.Less(t, len(err.Error()), 80)
		})
	}
}

func TestParse_keepsTheOrderOfTheDocument(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(keySet(
		jwkOf("EdDSA", nil), jwkOf("RS256", members{"use": "enc"}), jwkOf("ES256", nil),
		jwkOf("ES384", nil),
	))
	require.NoError(t, err)
	var ids []string
	for _, key := range set.Keys() {
		ids = append(ids, key.ID())
	}
	assert.Equal(t, []string{"the EdDSA key", "the ES256 key", "the ES384 key"}, ids)
}
