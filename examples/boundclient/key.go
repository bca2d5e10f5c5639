package boundclient

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"time"
)

// Key signs proofs. It is safe for concurrent use. A client keeps one for as
// long as tokens that are bound to it live.
type Key struct {
	private *ecdsa.PrivateKey
	jwk     jwk
}

// jwk is the public key, its members in the order of RFC 7638.
type jwk struct {
	Curve string `json:"crv"`
	Type  string `json:"kty"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// NewKey returns a new key on P-256, for ES256.
func NewKey() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		return nil, err
	}
	const size = 32
	return &Key{private, jwk{
		"P-256", "EC", encode(point[1 : 1+size]), encode(point[1+size:]),
	}}, nil
}

// Thumbprint returns what the authorization server binds tokens to, as "jkt".
func (k *Key) Thumbprint() string {
	text, _ := json.Marshal(k.jwk) // of strings
	sum := sha256.Sum256(text)
	return encode(sum[:])
}

// Prove returns a proof for one request. The token and the nonce are empty
// where there is none: a request for a token has none yet.
func (k *Key) Prove(method string, u *url.URL, token, nonce string) (string, error) {
	target := *u
	target.RawQuery, target.ForceQuery, target.Fragment, target.RawFragment = "", false, "", ""
	target.User = nil
	payload := map[string]any{
		"jti": rand.Text(), "htm": method, "htu": target.String(), "iat": time.Now().Unix(),
	}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		payload["ath"] = encode(sum[:])
	}
	if nonce != "" {
		payload["nonce"] = nonce
	}
	header, err := json.Marshal(map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": k.jwk})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return "", err
	}
	input := encode(header) + "." + encode(body)
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return "", err
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + encode(signature[:]), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
