package claims_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// The beginnings of two keys, as gpg --export writes them.
const (
	pgpRSA = "mQENBGsLKFUBCADRlg0eB92ubwYMTu5dHktHDqBK5ktNEQTFGGlg/GHGMVv+lg+l+H45b3HPiFF0Zb7g" +
		"qAh9CattDQ1fvp2fao+mKTiNkFCjIeVnzzJ998VKJLcCRdh8qnrnbLYCwF8FNV3mQY7+E2n6ynvM/Xv1"
	pgpEd25519 = "mDMEawsoVhYJKwYBBAHaRw8BAQdAjJZX1LlizGt2KjsPtHM+6ges9G0bsXiMxbmqGXfUKTO0CWVkMjU1"
)

func symmetric(secret []byte) error {
	_, err := claims.NewSymmetricVerifier([][]byte{secret}, claims.Config{
		Issuer: "shop", Audiences: []string{claimstest.Audience},
	})
	return err
}

// sshWire is a key as SSH sends it (RFC 4253 section 6.6).
func sshWire(name string) []byte {
	wire := binary.BigEndian.AppendUint32(nil, uint32(len(name)))
	wire = append(wire, name...)
	wire = binary.BigEndian.AppendUint32(wire, 32)
	return append(wire, material(name, 32)...)
}

// publicForms are the forms that a public key may be mistaken for a secret in.
func publicForms(t *testing.T) map[string][]byte {
	t.Helper()
	edwards := ed25519.NewKeyFromSeed(material("ed", 32)).Public().(ed25519.PublicKey)
	curve := forger()["p256"].private.Public().(*ecdsa.PublicKey)
	point, err := curve.ECDH()
	require.NoError(t, err)
	pkix := func(public any) []byte {
		der, err := x509.MarshalPKIXPublicKey(public)
		require.NoError(t, err)
		return der
	}
	b64std := base64.StdEncoding.EncodeToString
	// An algorithm that nobody knows.
	unknown := bytes.Replace(pkix(edwards), []byte{0x2b, 0x65, 0x70}, []byte{0x2b, 0x65, 0x7f}, 1)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, forger()["p256"].private)
	require.NoError(t, err)
	gpg := func(text string) []byte {
		raw, err := base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
		return raw
	}
	ssh := b64std(sshWire("ssh-ed25519"))
	jwk := `{"kty":"OKP","crv":"Ed25519","x":"` + b64(edwards) + `"}`
	return map[string][]byte{
		"PKIX, RSA":               pkix(rsaPublic()),
		"PKIX, P-256":             pkix(curve),
		"PKIX, Ed25519":           pkix(edwards),
		"PKIX, unknown":           unknown,
		"PKCS 1":                  x509.MarshalPKCS1PublicKey(rsaPublic()),
		"certificate":             certificate(t),
		"certificate request":     request,
		"point":                   point.Bytes(),
		"JWK":                     []byte(jwk),
		"JWK in a JSON string":    fmt.Appendf(nil, "%q", jwk),
		"JWK with more around it": []byte("key = " + jwk + ";"),
		"SSH, wire":               sshWire("ssh-ed25519"),
		"SSH, security key":       sshWire("sk-ssh-ed25519@openssh.com"),
		"SSH, ECDSA key":          sshWire("ecdsa-sha2-nistp256"),
		"SSH, certificate":        sshWire("ssh-ed25519-cert-v01@openssh.com"),
		"SSH, line":               []byte("ssh-ed25519 " + ssh + " me@host"),
		"SSH, security key line":  []byte("sk-ssh-ed25519@openssh.com " + ssh),
		"SSH, security key ECDSA": []byte("sk-ecdsa-sha2-nistp256@openssh.com " + ssh),
		"authorized_keys":         []byte(`from="10.0.0.0/8",command="ls -l" ssh-ed25519 ` + ssh),
		"known_hosts":             []byte("host.example,10.0.0.1 ssh-ed25519 " + ssh),
		"only the base64 of SSH":  []byte(`no-pty,from="*" ` + ssh),
		"SSH2": []byte("---- BEGIN SSH2 PUBLIC KEY ----\nComment: \"x\"\n" + ssh +
			"\n---- END SSH2 PUBLIC KEY ----"),
		"OpenPGP, RSA":     gpg(pgpRSA),
		"OpenPGP, Ed25519": gpg(pgpEd25519),
		"OpenPGP, armored": []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + pgpEd25519),
		"minisign":         append([]byte("Ed01234567"), edwards...),
		"minisign, file": []byte("untrusted comment: minisign public key 0123456789ABCDEF\n" +
			b64std(append([]byte("Ed01234567"), edwards...))),
		"signify":           []byte("untrusted comment: a public key\n" + strings.Repeat("A", 32)),
		"DKIM":              []byte("v=DKIM1; k=ed25519; p=" + b64std(pkix(edwards))),
		"XML":               []byte("<RSAKeyValue><Modulus>" + strings.Repeat("A", 43) + "</Modulus></RSAKeyValue>"),
		"PEM of one's own":  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix(edwards)}),
		"PEM without lines": []byte(b64std(pkix(curve))),
	}
}

// Whatever form a public key is kept in, it is not taken as a secret, which
// everybody would have.
func TestNewSymmetricVerifier_publicKeys(t *testing.T) {
	t.Parallel()
	lines := func(text string) string {
		var b strings.Builder
		for len(text) > 20 {
			b.WriteString(text[:20] + "\r\n\t")
			text = text[20:]
		}
		return b.String() + text
	}
	for name, form := range publicForms(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			std, url := base64.StdEncoding.EncodeToString(form), base64.URLEncoding.EncodeToString(form)
			digits := hex.EncodeToString(form)
			var colons []string
			for i := 0; i < len(digits); i += 2 {
				colons = append(colons, digits[i:i+2])
			}
			for how, secret := range map[string]string{
				"as it is":                  string(form),
				"with white space":          " \r\n\t" + string(form) + "\n\n",
				"base64":                    std,
				"base64 without padding":    strings.TrimRight(std, "="),
				"base64 in lines":           lines(std),
				"base64url":                 url,
				"base64url without padding": strings.TrimRight(url, "="),
				"quoted base64":             `"` + std + `"`,
				"twice base64":              base64.StdEncoding.EncodeToString([]byte(std)),
				"hexadecimal":               digits,
				"in capitals":               strings.ToUpper(digits),
				"with colons":               strings.Join(colons, ":"),
				"in groups":                 strings.Join(colons, " "),
				"with 0x":                   "0x" + digits,
				"of base64":                 hex.EncodeToString([]byte(std)),
				"after a name":              "PUBLIC_KEY=" + std,
			} {
				assert.ErrorContains(t, symmetric([]byte(secret)), "is a public key", how)
			}
		})
	}
}

// Where letters mean nothing else, their case does not count.
func TestNewSymmetricVerifier_publicKeysInAnyCase(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"JWK", "SSH, line", "SSH, security key line", "SSH, security key ECDSA", "authorized_keys",
		"SSH2", "OpenPGP, armored", "minisign, file", "signify", "PEM of one's own", "XML",
	} {
		form := string(publicForms(t)[name])
		for _, secret := range []string{strings.ToUpper(form), strings.ToLower(form)} {
			assert.ErrorContains(t, symmetric([]byte(secret)), "is a public key", name)
		}
		var wide []byte
		for _, unit := range utf16.Encode([]rune("\ufeff" + form)) {
			wide = binary.LittleEndian.AppendUint16(wide, unit)
		}
		assert.ErrorContains(t, symmetric(wide), "is a public key", name)
		assert.ErrorContains(t, symmetric([]byte("\ufeff"+form)), "is a public key", name)
	}
}

// What is made at random is a secret.
func TestNewSymmetricVerifier_secrets(t *testing.T) {
	t.Parallel()
	for n := range 3000 {
		secret := material(fmt.Sprint(n), 32+n%64)
		for how, text := range map[string]string{
			"raw": string(secret), "base64": base64.StdEncoding.EncodeToString(secret),
			"base64url": b64(secret), "hexadecimal": hex.EncodeToString(secret),
		} {
			require.NoError(t, symmetric([]byte(text)), "%s %x", how, secret)
		}
	}
	for _, text := range []string{
		"correct horse battery staple, on a ssh of one's own",
		"a key that begins and ends, and is nothing but words", strings.Repeat("=", 64),
		strings.Repeat("A", 64), strings.Repeat("0", 64), `"` + strings.Repeat("x", 40) + `"`,
	} {
		assert.NoError(t, symmetric([]byte(text)), text)
	}
}
