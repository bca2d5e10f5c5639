package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/hex"
	"slices"
)

const (
	minRSABits = 2048 // RFC 7518 section 3.3
	maxRSABits = 8192 // beyond it one signature check costs milliseconds
	// maxExponent is the largest that crypto/rsa takes.
	maxExponent = 1<<31 - 1
)

var (
	rsaAlgorithms   = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
	eddsaAlgorithms = []string{"EdDSA", "Ed25519"} // RFC 8037 section 3.1, RFC 9864 section 2.2
	ecAlgorithms    = map[string][]string{
		"P-256": {"ES256"}, "P-384": {"ES384"}, "P-521": {"ES512"},
	}
)

// newKey returns a key without ID for all the algorithms of its type, or why it
// cannot be used. All keys are made here, whatever they are read from.
func newKey(public crypto.PublicKey) (*Key, string) {
	public, reason := checkPublicKey(public)
	if reason != "" {
		return nil, reason
	}
	// Not before the check: it panics over coordinates that are too long.
	thumbprint, err := thumbprintOf(public)
	if err != nil {
		return nil, "malformed"
	}
	return &Key{public: public, algorithms: algorithmsFor(public), thumbprint: thumbprint}, ""
}

// algorithmsFor returns what a key that was checked can verify.
func algorithmsFor(public crypto.PublicKey) []string {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return rsaAlgorithms
	case *ecdsa.PublicKey:
		return ecAlgorithms[public.Curve.Params().Name]
	}
	return eddsaAlgorithms
}

// algorithmsOf is algorithmsFor, by what a JWK says of its type.
func algorithmsOf(keyType, curve string) (fits []string, reason string) {
	switch keyType {
	case "RSA":
		return rsaAlgorithms, ""
	case "EC":
		if fits = ecAlgorithms[curve]; fits == nil {
			return nil, "unsupported_curve"
		}
		return fits, ""
	case "OKP":
		if curve != "Ed25519" {
			return nil, "unsupported_curve"
		}
		return eddsaAlgorithms, ""
	case "":
		return nil, "malformed"
	}
	return nil, "unsupported_type"
}

func checkPublicKey(public crypto.PublicKey) (crypto.PublicKey, string) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return public, checkRSA(public)
	case *ecdsa.PublicKey:
		return public, checkEC(public)
	case ed25519.PublicKey:
		if len(public) != ed25519.PublicKeySize || hasSmallOrder(public) {
			return nil, "malformed"
		}
		return public, ""
	case nil:
		return nil, "malformed"
	case *Key: // not of the private ones, though it has their method
		return nil, "unsupported_type"
	case interface{ Public() crypto.PublicKey }: // of the standard library's private keys
		return nil, "private"
	}
	return nil, "unsupported_type"
}

func checkRSA(public *rsa.PublicKey) string {
	if public == nil || public.N == nil {
		return "malformed"
	}
	bits := public.N.BitLen()
	switch {
	case bits < minRSABits || bits > maxRSABits:
		return "key_size"
	case public.N.Sign() < 0:
		return "malformed"
	// With an exponent of 1 every message signs itself; an even modulus has 2
	// for a factor.
	case public.E < 3 || public.E > maxExponent || public.E%2 == 0 || public.N.Bit(0) == 0:
		return "malformed"
	}
	return ""
}

func checkEC(public *ecdsa.PublicKey) string {
	if public == nil || public.Curve == nil || public.X == nil || public.Y == nil {
		return "malformed"
	}
	switch public.Curve {
	case elliptic.P256(), elliptic.P384(), elliptic.P521():
	default: // one of somebody's own may take any point for its own
		return "unsupported_curve"
	}
	if _, err := public.ECDH(); err != nil { // not a point of the curve
		return "malformed"
	}
	return ""
}

// smallOrder are the y-coordinates of the points of Ed25519 whose order divides
// 8, as a key writes them, those above the prime included.
var smallOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

// hasSmallOrder recognises keys that a signature of anything can be made for:
// they are to Ed25519 what an exponent of 1 is to RSA (RFC 8032 section 5.1.7).
func hasSmallOrder(key ed25519.PublicKey) bool {
	y := slices.Clone(key)
	y[len(y)-1] &= 0x7f // the sign of x
	return slices.Contains(smallOrder, hex.EncodeToString(y))
}
