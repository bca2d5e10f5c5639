package claimstest

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// Proof is what a DPoP proof says (RFC 9449 section 4.2), for the request that
// it goes with.
type Proof struct {
	// Method and URL are those of the request, POST over gRPC. "htu" is the URL
	// without query and fragment.
	Method, URL string
	// Token is the access token of the request, whose hash is "ath". Empty
	// leaves that out.
	Token string
	// Nonce is that of the server, empty for none.
	Nonce string

	// Claims and Header are further members, as those of a [Token] are.
	Claims, Header map[string]any
}

// Prove returns a DPoP proof, made now and signed with the key, that has an
// identifier of its own. The token that it goes with is bound to the key by its
// claims: "cnf" is an object whose "jkt" is [Key.Thumbprint].
func (k *Key) Prove(p Proof) string {
	key := k.JWK()
	for _, name := range []string{"kid", "alg", "use"} {
		delete(key, name)
	}
	payload := map[string]any{
		"jti": randomText(), "htm": p.Method, "htu": p.URL, "iat": time.Now().Unix(),
	}
	if u, err := url.Parse(p.URL); err == nil {
		u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = "", false, "", ""
		payload["htu"] = u.String()
	}
	if p.Token != "" {
		sum := sha256.Sum256([]byte(p.Token))
		payload["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if p.Nonce != "" {
		payload["nonce"] = p.Nonce
	}
	header := map[string]any{"typ": "dpop+jwt", "alg": k.Algorithm, "jwk": key}
	return k.Sign(object(header, p.Header), object(payload, p.Claims))
}

// Thumbprint returns the SHA-256 thumbprint of the key in base64url (RFC 7638):
// the "jkt" of a token that is bound to it (RFC 9449 section 6.1).
func (k *Key) Thumbprint() string {
	public, err := jwk.FromRaw(k.Public())
	must(err)
	sum, err := public.Thumbprint(crypto.SHA256)
	must(err)
	return base64.RawURLEncoding.EncodeToString(sum)
}
