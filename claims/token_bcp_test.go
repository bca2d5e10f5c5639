package claims_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/internal/conformance"
)

// recommendation is one of RFC 8725 section 3. Each attack is a token that is
// right but for it, and the control is one that heeds it.
type recommendation struct {
	name    string
	types   []string // of the verifier
	control string
	attacks []bcpAttack
}

type bcpAttack struct {
	name   string
	token  string
	reason claims.Reason
}

func recommendations() []recommendation {
	by := func(id, alg string, header m) string {
		return forgedBy(id, alg, head(merged(m{"alg": alg, "kid": id}, header)), body(nil))
	}
	with256 := func(header, payload m) string { return forged(head(header), body(payload)) }
	good, omit := with256(nil, nil), claimstest.Omit
	return []recommendation{
		{name: "3.1 perform algorithm verification", control: by("rs256", "RS256", nil), attacks: []bcpAttack{
			{"HMAC with the public key", hs256(rs256Modulus()), claims.ReasonAlgorithm},
			{"ES256 by the key for RS256", with256(m{"kid": "rs256"}, nil), claims.ReasonAlgorithm},
			{"RS256 by the key for PS256", by("ps256", "RS256", nil), claims.ReasonAlgorithm},
		}},
		{name: "3.2 use appropriate algorithms", control: by("ed25519", "EdDSA", nil), attacks: []bcpAttack{
			{"none", with256(m{"alg": "none"}, nil), claims.ReasonAlgorithm},
			{"SHA-1", with256(m{"alg": "RS1"}, nil), claims.ReasonAlgorithm},
			{"encryption", with256(m{"alg": "RSA1_5"}, nil), claims.ReasonAlgorithm},
		}},
		{name: "3.3 validate all cryptographic operations", control: good, attacks: []bcpAttack{
			{"inner token of a foreign key", forged(head(m{"cty": "JWT"}), by("attacker", "ES256", nil)),
				claims.ReasonType},
			{"outer signature of a foreign key", by("attacker", "ES256", m{"kid": "p256"}),
				claims.ReasonSignature},
			{"critical extension", with256(m{"crit": []string{"x"}, "x": 1}, nil), claims.ReasonCritical},
		}},
		{name: "3.4 validate cryptographic inputs", control: by("p384", "ES384", nil), attacks: []bcpAttack{
			{"r and s zero", resigned(func(b []byte) []byte { return make([]byte, len(b)) }),
				claims.ReasonSignature},
			{"Ed25519 with S beyond the order", overlongEd25519(), claims.ReasonSignature},
			{"key off the curve", with256(m{"kid": "off-curve"}, nil), claims.ReasonUnknownKey},
		}},
		{name: "3.5 ensure cryptographic keys have sufficient entropy", control: by("rsa", "PS256", nil),
			attacks: []bcpAttack{
				{"HMAC with a password", hs256([]byte("secret")), claims.ReasonAlgorithm},
				{"RSA of 1024 bits", signedWeakly(), claims.ReasonUnknownKey},
			}},
		{name: "3.6 avoid compression of encryption inputs", control: with256(m{"x": "DEF"}, nil),
			attacks: []bcpAttack{
				{"compressed and encrypted", compressedJWE(), claims.ReasonEncrypted},
				{"compressed and signed", forged(head(m{"zip": "DEF"}), deflated(body(nil))),
					claims.ReasonMalformed},
			}},
		{name: "3.7 use UTF-8", control: with256(nil, m{"sub": "Жанна"}), attacks: []bcpAttack{
			{"payload in UTF-16", forged(head(nil), utf16Of(body(nil))), claims.ReasonMalformed},
			{"header in UTF-16", forged(utf16Of(head(nil)), body(nil)), claims.ReasonMalformed},
			{"payload in Latin-1", forged(head(nil), with(body(m{"sub": omit}), "\"sub\":\"\xe4\"")),
				claims.ReasonMalformed},
		}},
		{name: "3.8 validate issuer and subject", control: with256(nil, m{"sub": "bob"}), attacks: []bcpAttack{
			{"another issuer", with256(nil, m{"iss": "https://other.example"}), claims.ReasonIssuer},
			{"no issuer", with256(nil, m{"iss": omit}), claims.ReasonIssuer},
			{"key of another issuer", by("attacker", "ES256", nil), claims.ReasonUnknownKey},
			{"subject not a string", with256(nil, m{"sub": 1}), claims.ReasonMalformed},
		}},
		{name: "3.9 use and validate audience", control: with256(nil, m{"aud": claimstest.Audience}),
			attacks: []bcpAttack{
				{"another audience", with256(nil, m{"aud": "https://other.example"}), claims.ReasonAudience},
				{"no audience", with256(nil, m{"aud": omit}), claims.ReasonAudience},
			}},
		{name: "3.10 do not trust received claims", control: with256(m{"jku": "https://evil.example"}, nil),
			attacks: []bcpAttack{
				{"kid a query", with256(m{"kid": "' OR 1=1--"}, nil), claims.ReasonUnknownKey},
				{"kid a path", with256(m{"kid": "../../etc/passwd"}, nil), claims.ReasonUnknownKey},
				{"jwk of the sender", by("attacker", "ES256", m{"kid": "p256", "jwk": forger()["attacker"].jwk}),
					claims.ReasonSignature},
				{"jku of the sender", by("attacker", "ES256", m{"kid": "p256", "jku": "https://evil.example"}),
					claims.ReasonSignature},
			}},
		{name: "3.11 use explicit typing", types: []string{"at+jwt"}, control: with256(m{"typ": "AT+JWT"}, nil),
			attacks: []bcpAttack{
				{"a logout token", with256(m{"typ": "logout+jwt"}, nil), claims.ReasonType},
				{"a JWT of any kind", with256(m{"typ": "JWT"}, nil), claims.ReasonType},
				{"no type", with256(m{"typ": omit}, nil), claims.ReasonType},
			}},
		{name: "3.12 use mutually exclusive validation rules", control: with256(m{"typ": "JWT"}, nil),
			attacks: []bcpAttack{
				{"an ID token", with256(m{"typ": "JWT"}, m{"aud": "shop", "nonce": "n"}), claims.ReasonAudience},
				{"a security event", with256(m{"typ": "secevent+jwt"}, m{"events": m{}}), claims.ReasonType},
				{"a DPoP proof", with256(m{"typ": "dpop+jwt"}, m{"htm": "GET"}), claims.ReasonType},
			}},
	}
}

// bestCurrentPractice has a Verifier judge the attacks on each recommendation.
func bestCurrentPractice(t *testing.T) []*conformance.Row {
	row := &conformance.Row{Suite: "RFC 8725 section 3"}
	for _, r := range recommendations() {
		t.Run(r.name, func(t *testing.T) {
			verifier := staticVerifier(t, bcpKeySet(t), claims.Config{
				Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Types: r.types,
			})
			_, err := verifier.Authenticate(t.Context(), bearer(r.control))
			require.NoError(t, err)
			require.NotEmpty(t, r.attacks)
			for _, attack := range r.attacks {
				t.Run(attack.name, func(t *testing.T) {
					caller, err := verifier.Authenticate(t.Context(), bearer(attack.token))
					assertRefused(t, caller, err, attack.reason)
					row.Pass("Verifier")
				})
			}
		})
	}
	return []*conformance.Row{row}
}

// bcpKeySet is the forger's keys and two that must be left out.
func bcpKeySet(t *testing.T) []byte {
	t.Helper()
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	require.NoError(t, json.Unmarshal(issuerKeySet(), &set))
	p256 := forger()["p256"].jwk
	set.Keys = append(set.Keys,
		encodeJSON(m{"kty": "RSA", "kid": "weak", "n": b64(weakKey().N.Bytes()), "e": "AQAB"}),
		encodeJSON(merged(p256, m{"kid": "off-curve", "x": p256["y"], "y": p256["x"]})),
	)
	return encodeJSON(set)
}

var weakKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	must(err)
	return key
})

func signedWeakly() string {
	input := b64([]byte(head(m{"alg": "RS256", "kid": "weak"}))) + "." + b64([]byte(body(nil)))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, weakKey(), crypto.SHA256, digest[:])
	must(err)
	return input + "." + b64(signature)
}

func rs256Modulus() []byte { return forger()["rs256"].private.Public().(*rsa.PublicKey).N.Bytes() }

func hs256(secret []byte) string {
	input := b64([]byte(head(m{"alg": "HS256", "kid": "rs256"}))) + "." + b64([]byte(body(nil)))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

// overlongEd25519 adds the group order to the S of a good signature, which RFC
// 8032 section 5.1.7 refuses.
func overlongEd25519() string {
	token := forgedBy("ed25519", "EdDSA", head(m{"alg": "EdDSA", "kid": "ed25519"}), body(nil))
	dot := strings.LastIndexByte(token, '.')
	signature := unb64(token[dot+1:])
	order, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	order.SetBit(order, 252, 1)
	slices.Reverse(signature[32:]) // little-endian
	s := new(big.Int).SetBytes(signature[32:])
	s.Add(s, order).FillBytes(signature[32:])
	slices.Reverse(signature[32:])
	return token[:dot+1] + b64(signature)
}

func compressedJWE() string {
	header := `{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF","kid":"rsa"}`
	return strings.Join([]string{
		b64([]byte(header)), b64(material("key", 256)), b64(material("iv", 12)),
		b64([]byte(deflated(body(nil)))), b64(material("tag", 16)),
	}, ".")
}

func deflated(text string) string {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	must(err)
	_, err = w.Write([]byte(text))
	must(err)
	must(w.Close())
	return b.String()
}

func utf16Of(text string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}
