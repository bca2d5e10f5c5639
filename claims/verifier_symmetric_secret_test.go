package claims

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSymmetricVerifier_printsNoSecret(t *testing.T) {
	t.Parallel()
	secret := []byte("0123456789abcdef0123456789abcdef")
	v, err := NewSymmetricVerifier([][]byte{secret}, Config{Issuer: "x", Audiences: []string{"x"}})
	require.NoError(t, err)
	holder := struct{ auth *Verifier }{v}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, printed := range []any{v, *v, holder, &holder} {
			text := fmt.Sprintf(verb, printed)
			for _, form := range []string{"48 49 50 51", "0123456789", "0x30, 0x31", "3031323334", "'0' '1'"} {
				assert.NotContains(t, text, form, verb)
			}
		}
	}
}

func TestNewSymmetricVerifier_publicKeysInOtherForms(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]string{
		"SSH":        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJZbL5fV0W1cXb2o0Yk0k0m8H7c6x2qg1yW8m3V4J0aT me@host",
		"SSH, ECDSA": "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEVs me@host",
		"base64 DER": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9q9UU8I5m" +
			"EovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==",
		"list of JWKs": `[{"kty":"EC","crv":"P-256","x":"EVs_o5-uQbTjL3chynL4wXgUg2R9q9UU8I5mEovUf84"}]`,
	} {
		_, err := NewSymmetricVerifier([][]byte{[]byte(secret)}, Config{Issuer: "x", Audiences: []string{"x"}})
		assert.ErrorContains(t, err, "is a public key", name)
	}
	for _, secret := range []string{
		strings.Repeat("7", 32), base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 40))),
	} {
		_, err := NewSymmetricVerifier([][]byte{[]byte(secret)}, Config{Issuer: "x", Audiences: []string{"x"}})
		assert.NoError(t, err)
	}
}
