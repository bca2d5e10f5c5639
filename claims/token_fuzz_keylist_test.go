package claims_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func keyDisagreements() []disagreement {
	by := func(id, alg string, changes m) string { return forgedBy(id, alg, head(changes), body(nil)) }
	known := func(s sighting) bool { return slices.Contains(issuerKeys, s.header.string("kid")) }
	fits := func(s sighting) bool {
		return known(s) && slices.Contains(
			forger()[s.header.string("kid")].algorithms, s.header.string("alg"))
	}
	accepted := func(s sighting) bool {
		return slices.Contains(acceptedAlgorithms, s.header.string("alg"))
	}
	return []disagreement{
		{
			name: "alg missing or none of ours", reason: claims.ReasonAlgorithm,
			because: "The algorithm is that of the header and one of the list; it is never guessed " +
				"from the key (RFC 8725 section 3.1, RFC 7515 section 4.1.1).",
			holds: func(s sighting) bool { return s.header.members != nil && !accepted(s) },
			tokens: []string{
				by("p256", "ES256", m{"alg": claimstest.Omit}),
				by("rs256", "RS256", m{"alg": "HS256", "kid": "rs256"}),
				by("rs256", "RS256", m{"alg": "none", "kid": "rs256"}),
			},
		},
		{
			name: "key named that does not fit alg", reason: claims.ReasonAlgorithm,
			because: "A key is used with its own algorithms alone (RFC 8725 section 3.1, RFC 7517 " +
				"section 4.4).",
			holds: func(s sighting) bool { return known(s) && accepted(s) && !fits(s) },
			tokens: []string{
				by("p256", "ES256", m{"kid": "rs256"}),
				by("ed25519", "EdDSA", m{"alg": "EdDSA", "kid": "p256"}),
				by("rs256", "RS256", m{"alg": "PS256", "kid": "rs256"}),
			},
		},
		{
			name: "unknown kid", reason: claims.ReasonUnknownKey,
			because: "\"kid\" says which key it is (RFC 7515 section 4.1.4); others are not tried.",
			holds: func(s sighting) bool {
				return s.header.string("kid") != "" && !known(s)
			},
			tokens: []string{by("p256", "ES256", m{"kid": "x"}), by("p256", "ES256", m{"kid": "P256"})},
		},
		{
			name: "signed by another key than named", reason: claims.ReasonSignature,
			because: "\"kid\" says which key it is (RFC 7515 section 4.1.4); others are not tried.",
			holds:   func(s sighting) bool { return fits(s) && !s.verifiesWith(rsa.PSSSaltLengthAuto) },
			// The published rs256, ps256 and rsa are one key under three names.
			tokens: []string{by("rsa", "RS256", m{"alg": "PS256", "kid": "rsa"})},
		},
		{
			name: "signed by none of the keys that fit alg", reason: claims.ReasonSignature,
			because: "Without \"kid\" only keys of the algorithm's type and curve are tried, with that " +
				"algorithm (RFC 7518 section 3, RFC 8725 section 3.1).",
			holds: func(s sighting) bool {
				return accepted(s) && s.header.string("kid") == "" &&
					!s.verifiesWith(rsa.PSSSaltLengthAuto)
			},
			tokens: []string{
				by("rs256", "RS256", m{"alg": "PS256", "kid": claimstest.Omit}),
				by("rs256", "RS256", m{"alg": "ES256", "kid": claimstest.Omit}),
			},
		},
		{
			name: "PSS salt of another length", reason: claims.ReasonSignature,
			because: "The salt is as long as the hash (RFC 7518 section 3.5).",
			holds: func(s sighting) bool {
				return !s.verifies() && s.verifiesWith(rsa.PSSSaltLengthAuto)
			},
			tokens: []string{saltedPS256(20), saltedPS256(64)},
		},
	}
}

func claimDisagreements() []disagreement {
	header := func(members string) string { return forged(with(head(nil), members), body(nil)) }
	typed := func(typ string) string { return forged(head(m{"typ": typ}), body(nil)) }
	bound := func(cnf any) string { return forged(head(nil), body(m{"cnf": cnf})) }
	return []disagreement{
		{
			name: "crit", reason: claims.ReasonCritical,
			because: "No extension is understood, and a token with one that is not must be refused " +
				"(RFC 7515 section 4.1.11).",
			holds:  func(s sighting) bool { return s.header.has("crit") },
			tokens: []string{header(`"crit":["x"],"x":1`), header(`"crit":[]`), header(`"crit":null`)},
		},
		{
			name: "enc", reason: claims.ReasonEncrypted,
			because: "A header with \"enc\" is that of a JWE, which has five segments (RFC 7516 section 9).",
			holds:   func(s sighting) bool { return s.header.has("enc") },
			tokens:  []string{header(`"enc":"A256GCM"`), header(`"enc":null`)},
		},
		{
			name: "claim of another kind of token", reason: claims.ReasonType,
			because: "An access token has no hash of a token or code, and a set of events is that of a " +
				"security event token (RFC 8725 section 3.12, RFC 8417 section 2.2).",
			holds: func(s sighting) bool {
				return s.payload.has("at_hash") || s.payload.has("c_hash") || s.payload.has("s_hash") ||
					strings.HasPrefix(string(s.payload.members["events"]), "{")
			},
			tokens: []string{
				forged(head(nil), body(m{"at_hash": "x"})), forged(head(nil), body(m{"c_hash": nil})),
				forged(head(nil), body(m{"s_hash": 1})), forged(head(nil), body(m{"events": m{}})),
			},
		},
		{
			name: "typ of another kind of token", reason: claims.ReasonType,
			because: "Kinds of tokens are told apart by \"typ\" (RFC 8725 section 3.11, RFC 9068 section 4).",
			holds: func(s sighting) bool {
				accepted := []string{"", "jwt", "at+jwt", "application/jwt", "application/at+jwt"}
				return s.header.members != nil && !slices.Contains(accepted, lower(s.header.string("typ")))
			},
			tokens: []string{typed("logout+jwt"), typed("dpop+jwt"), typed("at+jwt "), typed("application/")},
		},
		{
			name: "cty of a nested token", reason: claims.ReasonType,
			because: "\"cty\" says that the payload is a token (RFC 7519 section 5.2), which it is not.",
			holds: func(s sighting) bool {
				return slices.Contains([]string{"jwt", "application/jwt"}, lower(s.header.string("cty")))
			},
			tokens: []string{
				header(`"cty":"JWT"`), header(`"cty":"application/jwt"`),
				forged(head(m{"cty": "JWT"}), forged(head(nil), body(nil))),
			},
		},
		{
			name: "cnf", reason: claims.ReasonBinding,
			because: "The token is bound to a key that is not proven here (RFC 7800 section 3.1, RFC 9449 " +
				"section 7.1).",
			holds:  func(s sighting) bool { return s.payload.has("cnf") },
			tokens: []string{bound(m{"jkt": "x"}), bound(nil), bound(m{})},
		},
	}
}

// lower is of ASCII alone.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

// saltedPS256 is a good token but for the length of its salt.
func saltedPS256(length int) string {
	input := b64([]byte(head(m{"alg": "PS256", "kid": "ps256"}))) + "." + b64([]byte(body(nil)))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPSS(rand.Reader, forger()["ps256"].private.(*rsa.PrivateKey),
		crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: length})
	must(err)
	return input + "." + b64(signature)
}
