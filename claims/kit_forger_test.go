package claims_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha3"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const (
	issuerURL           = "https://issuer.example"
	wellKnown           = "/.well-known/openid-configuration"
	longAgo             = 900_000_000          // 1998: before the start of a synctest bubble
	farFuture           = int64(4_102_444_800) // 2100
	defaultMaxTokenSize = 16 << 10
)

// m is a JSON object.
type m = map[string]any

// keyPair is a key of the forger's. Tokens are forged with the standard library
// alone, so that nothing under test signs what it then verifies.
type keyPair struct {
	id         string
	algorithms []string // all that the key can sign with
	private    crypto.Signer
	jwk        m
}

// forger has a key pair of each kind. They are the same in every process: the
// workers of a fuzz target share their tokens.
var forger = sync.OnceValue(func() map[string]*keyPair {
	rsaKey := deterministicRSA("issuer")
	rsaJWK := m{
		"kty": "RSA", "n": b64(rsaKey.N.Bytes()), "e": b64(big.NewInt(int64(rsaKey.E)).Bytes()),
	}
	attacker := ed25519.NewKeyFromSeed(material("attacker", 32))
	ed := ed25519.NewKeyFromSeed(material("issuer", 32))
	edJWK := m{"kty": "OKP", "crv": "Ed25519", "x": b64(ed.Public().(ed25519.PublicKey))}
	allRSA := []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	pairs := map[string]*keyPair{}
	for _, k := range []*keyPair{
		{"rs256", []string{"RS256"}, rsaKey, merged(rsaJWK, m{"alg": "RS256"})},
		{"ps256", []string{"PS256"}, rsaKey, merged(rsaJWK, m{"alg": "PS256"})},
		{"rsa", allRSA, rsaKey, rsaJWK},
		ecPair("p256", "ES256", elliptic.P256()),
		ecPair("p384", "ES384", elliptic.P384()),
		ecPair("p521", "ES512", elliptic.P521()),
		{"ed25519", []string{"EdDSA", "Ed25519"}, ed, edJWK},
		ecPair("attacker", "ES256", elliptic.P256()),
		{"attacker-ed25519", []string{"EdDSA"}, attacker, nil},
		{"attacker-rsa", allRSA, deterministicRSA("attacker"), nil},
	} {
		k.jwk = merged(k.jwk, m{"kid": k.id})
		pairs[k.id] = k
	}
	return pairs
})

// issuerKeys are those of the forger's keys that the issuer publishes.
var issuerKeys = []string{"p256", "p384", "p521", "rs256", "ps256", "rsa", "ed25519"}

func issuerKeySet() []byte {
	var list []m
	for _, id := range issuerKeys {
		list = append(list, forger()[id].jwk)
	}
	return encodeJSON(m{"keys": list})
}

func ecPair(id, algorithm string, curve elliptic.Curve) *keyPair {
	size := (curve.Params().BitSize + 7) / 8
	d := new(big.Int).SetBytes(material(id, size+8))
	d.Mod(d, curve.Params().N)
	key, err := ecdsa.ParseRawPrivateKey(curve, d.FillBytes(make([]byte, size)))
	must(err)
	point, err := key.PublicKey.Bytes()
	must(err)
	return &keyPair{id, []string{algorithm}, key, m{
		"kty": "EC", "crv": curve.Params().Name,
		"x": b64(point[1 : 1+size]), "y": b64(point[1+size:]),
	}}
}

func deterministicRSA(label string) *rsa.PrivateKey {
	one, e := big.NewInt(1), big.NewInt(65537)
	prime := func(label string) *big.Int {
		p := new(big.Int).SetBytes(material(label, 128))
		p.SetBit(p, 1023, 1).SetBit(p, 1022, 1).SetBit(p, 0, 1)
		for !p.ProbablyPrime(1) {
			p.Add(p, big.NewInt(2))
		}
		return p
	}
	p, q := prime(label+" p"), prime(label+" q")
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: int(e.Int64())},
		D:         new(big.Int).ModInverse(e, phi),
		Primes:    []*big.Int{p, q},
	}
	key.Precompute()
	must(key.Validate())
	return key
}

func material(label string, n int) []byte {
	return sha3.SumSHAKE256([]byte("sallyport test key "+label), n)
}

// must is for what fails only by a mistake of the test.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func unb64(s string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(s)
	must(err)
	return b
}

func encodeJSON(v any) []byte {
	b, err := json.Marshal(v)
	must(err)
	return b
}

// merged is base with changes; [claimstest.Omit] leaves a member out.
func merged(base, changes m) m {
	all := m{}
	maps.Copy(all, base)
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == claimstest.Omit })
	return all
}

// head and body are those of a good token, with changes.
func head(changes m) string {
	good := m{"alg": "ES256", "typ": "at+jwt", "kid": "p256"}
	return string(encodeJSON(merged(good, changes)))
}

func body(changes m) string {
	good := m{
		"iss": issuerURL, "aud": []string{claimstest.Audience}, "exp": farFuture, "iat": longAgo,
		"sub": "alice", "client_id": "shop", "scope": "orders:read", "jti": "1",
	}
	return string(encodeJSON(merged(good, changes)))
}

// with adds members to the end of an object, as they are written.
func with(object, members string) string { return object[:len(object)-1] + "," + members + "}" }

var hashes = map[string]crypto.Hash{
	"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512,
}

func sign(keyID, algorithm, input string) []byte {
	var signature []byte
	var err error
	private := forger()[keyID].private
	if key, ok := private.(ed25519.PrivateKey); ok {
		return ed25519.Sign(key, []byte(input))
	}
	hash := hashes[algorithm[2:]]
	h := hash.New()
	h.Write([]byte(input))
	digest := h.Sum(nil)
	switch key := private.(type) {
	case *ecdsa.PrivateKey:
		var r, s *big.Int
		r, s, err = ecdsa.Sign(rand.Reader, key, digest)
		signature = p1363(r, s, (key.Params().BitSize+7)/8)
	case *rsa.PrivateKey:
		if strings.HasPrefix(algorithm, "RS") {
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, hash, digest)
			break
		}
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
		signature, err = rsa.SignPSS(rand.Reader, key, hash, digest, options)
	}
	must(err)
	return signature
}

func p1363(r, s *big.Int, size int) []byte {
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
}

// forged is a token signed by p256, whatever the header says.
func forged(header, payload string) string { return forgedBy("p256", "ES256", header, payload) }

func forgedBy(keyID, algorithm, header, payload string) string {
	return spelled(keyID, algorithm, b64([]byte(header)), b64([]byte(payload)))
}

// spelled signs segments that are spelled in a way of their own.
func spelled(keyID, algorithm, header, payload string) string {
	input := header + "." + payload
	return input + "." + b64(sign(keyID, algorithm, input))
}

// resigned is a good token whose signature is changed.
func resigned(change func(signature []byte) []byte) string {
	token := forged(head(nil), body(nil))
	dot := strings.LastIndexByte(token, '.')
	return token[:dot+1] + b64(change(unb64(token[dot+1:])))
}

// respelled is a good token whose signature is spelled in another way.
func respelled(spell func(string) string) string {
	for {
		token := forged(head(nil), body(nil))
		dot := strings.LastIndexByte(token, '.')
		if signature := token[dot+1:]; spell(signature) != signature {
			return token[:dot+1] + spell(signature)
		}
	}
}

// sized is a good token of exactly n bytes.
func sized(n int) string {
	for i := range 4 {
		header := head(m{"x": strings.Repeat("x", i)})
		for j := range 4 {
			signature := 1 + 86
			segment := n - signature - base64.RawURLEncoding.EncodedLen(len(header)) - 1
			empty := body(m{"x": ""})
			pad := segment*3/4 - len(empty) + j - 1
			if pad < 0 {
				continue
			}
			if token := forged(header, body(m{"x": strings.Repeat("x", pad)})); len(token) == n {
				return token
			}
		}
	}
	panic(fmt.Sprintf("no token of %d bytes", n))
}

// padded is an object whose base64 has spare bits in its last character.
func padded(object string) string {
	for len(object)%3 != 1 {
		object += " "
	}
	return object
}

// stray sets a bit that the last character of a base64 segment does not need.
func stray(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	if len(segment)%4 == 0 {
		panic("no spare bits")
	}
	last := len(segment) - 1
	return segment[:last] + string(alphabet[strings.IndexByte(alphabet, segment[last])+1])
}

var toStandard = strings.NewReplacer("-", "+", "_", "/")

// newForgerIssuer returns an issuer that publishes the forger's keys.
func newForgerIssuer(t testing.TB) *claimstest.Issuer {
	t.Helper()
	issuer := newIssuer(t, claimstest.Config{})
	issuer.Intercept(func(next http.Handler) http.Handler {
		mux := http.NewServeMux()
		mux.Handle("/", next)
		mux.HandleFunc("/jwks", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(issuerKeySet())
		})
		return mux
	})
	return issuer
}
