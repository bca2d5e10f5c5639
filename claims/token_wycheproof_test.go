package claims_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"math/big"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/claims/internal/jws"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/conformance"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Hashes and curves that no accepted algorithm has. One that is not listed
// fails the test.
var (
	otherHashes = []string{
		"SHA-1", "SHA-224", "SHA-512/224", "SHA-512/256", "SHA3-224", "SHA3-256", "SHA3-384",
		"SHA3-512", "SHAKE128", "SHAKE256",
	}
	otherCurves = []string{
		"brainpoolP224r1", "brainpoolP256r1", "brainpoolP320r1", "brainpoolP384r1",
		"brainpoolP512r1", "secp160k1", "secp160r1", "secp160r2", "secp192k1", "secp192r1",
		"secp224k1", "secp224r1", "secp256k1",
	}
)

var curves = map[string]struct {
	curve           elliptic.Curve
	hash, algorithm string
}{
	"secp256r1": {curve: elliptic.P256(), hash: "SHA-256", algorithm: "ES256"},
	"secp384r1": {curve: elliptic.P384(), hash: "SHA-384", algorithm: "ES384"},
	"secp521r1": {curve: elliptic.P521(), hash: "SHA-512", algorithm: "ES512"},
}

// algorithmOf is the algorithm of a group's signatures, or the reason why there
// is none.
func algorithmOf(t *testing.T, group conformance.Group) (algorithm, reason string) {
	t.Helper()
	bits, ours := strings.CutPrefix(group.Hash, "SHA-")
	ours = ours && hashes[bits] != 0
	if !ours && group.Type != "EddsaVerify" {
		require.Contains(t, otherHashes, group.Hash)
	}
	switch group.Type {
	case "RsassaPkcs1Verify":
		if !ours {
			return "", "another hash"
		}
		require.GreaterOrEqual(t, group.KeySize, 2048)
		require.LessOrEqual(t, group.KeySize, 8192)
		return "RS" + bits, ""
	case "RsassaPssVerify", "RsassaPssWithParametersVerify":
		switch {
		case !ours:
			return "", "another hash"
		case group.MGF != "MGF1" || group.MGFHash != group.Hash:
			return "", "another hash in MGF1"
		case group.SaltLength != hashes[bits].Size():
			return "", "a salt that is not as long as the hash"
		}
		return "PS" + bits, ""
	case "EcdsaP1363Verify":
		known, ok := curves[group.PublicKey.Curve]
		switch {
		case !ok:
			require.Contains(t, otherCurves, group.PublicKey.Curve)
			return "", "another curve"
		case group.Hash != known.hash:
			return "", "another hash"
		}
		return known.algorithm, ""
	case "EddsaVerify":
		require.Equal(t, "edwards25519", group.PublicKey.Curve)
		return "EdDSA", ""
	}
	require.Fail(t, "unknown type", group.Type)
	return "", ""
}

func publicKeyOf(t *testing.T, group conformance.Group) crypto.PublicKey {
	t.Helper()
	key := group.PublicKey
	switch {
	case len(key.Modulus) > 0:
		return &rsa.PublicKey{
			N: new(big.Int).SetBytes(key.Modulus),
			E: int(new(big.Int).SetBytes(key.PublicExponent).Int64()),
		}
	case len(key.Uncompressed) > 0:
		public, err := ecdsa.ParseUncompressedPublicKey(curves[key.Curve].curve, key.Uncompressed)
		require.NoError(t, err)
		return public
	}
	require.Len(t, key.Point, ed25519.PublicKeySize)
	return ed25519.PublicKey(key.Point)
}

// isApproved reports whether a key verifies anything: with GODEBUG=fips140=only
// crypto/rsa refuses small exponents and odd sizes.
func isApproved(public crypto.PublicKey) bool {
	key, isRSA := public.(*rsa.PublicKey)
	only := strings.Contains(os.Getenv("GODEBUG"), "fips140=only")
	return !only || !isRSA || key.E > 1<<16 && key.N.BitLen()%2 == 0
}

// wycheproofSignatures has jws.Verify judge the signatures of every accepted
// algorithm. Files without any are counted together.
func wycheproofSignatures(t *testing.T) []*conformance.Row {
	var rows []*conformance.Row
	others := &conformance.Row{Suite: "Wycheproof signatures of other files"}
	judged := map[string]bool{}
	for _, name := range conformance.WycheproofFiles(t) {
		if !slices.ContainsFunc(wycheproofJudged, func(pattern string) bool {
			ok, err := path.Match(pattern, name)
			must(err)
			return ok && !strings.HasPrefix(pattern, "json_web_")
		}) {
			continue
		}
		file := conformance.Wycheproof(t, name)
		row := others
		if slices.ContainsFunc(file.TestGroups, func(group conformance.Group) bool {
			_, reason := algorithmOf(t, group)
			return reason == ""
		}) {
			row = &conformance.Row{Suite: "Wycheproof " + strings.TrimSuffix(name, "_test.json")}
			rows = append(rows, row)
		}
		for _, group := range file.TestGroups {
			algorithm, reason := algorithmOf(t, group)
			if reason != "" {
				row.SkipAll(len(group.Tests), reason)
				continue
			}
			judged[algorithm] = true
			public := publicKeyOf(t, group)
			for _, vector := range group.Tests {
				accepted := jws.Asymmetric.Verify(
					algorithm, public, vector.Message, vector.Signature)
				valid := vector.Valid() && isApproved(public)
				if assert.Equal(t, valid, accepted, "%s: %v", name, vector) {
					row.Pass("jws.Verify")
				}
			}
		}
	}
	assert.Len(t, judged, 10, "algorithms judged: all but Ed25519, another name of EdDSA")
	return append(rows, others)
}
