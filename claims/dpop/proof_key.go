package dpop

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/jwks"
)

// readKey returns the public key that a JWK has, which must fit the algorithm
// (RFC 9449 section 4.3, checks 5 and 7).
func readKey(text, algorithm string) (*jwks.Key, error) {
	var seen strict.Members
	public := map[string]string{}
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		switch name := r.ReadName(&seen); name {
		case "kty", "crv", "x", "y", "n", "e", "alg", "use":
			public[name] = r.ReadString()
		case "d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv":
			// RFC 7518 sections 6.2.2, 6.3.2 and 6.4.1, RFC 9964 section 3.
			return nil, refusal(claims.ReasonProof, "jwk has %q, which is private", name)
		default:
			r.Skip()
		}
	}
	if !r.End() {
		return nil, refusal(claims.ReasonProof, "jwk is not an object as it must be")
	}
	document, err := json.Marshal(public)
	if err != nil {
		return nil, refusal(claims.ReasonProof, "jwk: %w", err)
	}
	set, err := jwks.Parse(document)
	if err != nil {
		return nil, refusal(claims.ReasonProof, "jwk cannot be used: %s", firstLine(err))
	}
	keys, err := set.Lookup(context.Background(), "", algorithm)
	if err != nil || len(keys) != 1 {
		return nil, refusal(claims.ReasonProof, "jwk is no key for %s", algorithm)
	}
	return keys[0], nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
