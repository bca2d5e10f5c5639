package claims_test

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims/internal/conformance"
)

// TestConformance runs the suites and compares what they count with
// testdata/conformance.md, so that a vector more or less is noticed.
func TestConformance(t *testing.T) {
	t.Parallel()
	suites := []struct {
		name string
		run  func(*testing.T) []*conformance.Row
	}{
		{name: "Wycheproof signatures", run: wycheproofSignatures},
		{name: "Wycheproof JWS", run: wycheproofJWS},
		{name: "Wycheproof JWK", run: wycheproofKeys},
		{name: "RFC vectors", run: rfcVectors},
		{name: "RFC keys", run: rfcKeys},
		{name: "RFC 9068 example", run: rfc9068Example},
		{name: "RFC 8725 recommendations", run: bestCurrentPractice},
	}
	rows := make([][]*conformance.Row, len(suites))
	complete := t.Run("suites", func(t *testing.T) {
		for i, suite := range suites {
			t.Run(suite.name, func(t *testing.T) {
				t.Parallel()
				rows[i] = suite.run(t)
			})
		}
	})
	var all []*conformance.Row
	for _, of := range rows {
		complete = complete && len(of) > 0 // a suite may be left out with -run
		all = append(all, of...)
	}
	if complete {
		conformance.Compare(t, "testdata/conformance.md",
			conformance.Markdown(all)+"\n"+wycheproofOthers(t))
	}
}

// wycheproofJudged are the files whose every group is judged or skipped for a
// reason.
var wycheproofJudged = []string{
	"ecdsa_*_p1363_test.json", "ed25519_test.json", "rsa_pss_*_test.json",
	"rsa_signature_*_test.json", "json_web_crypto_test.json", "json_web_key_test.json",
	"json_web_signature_test.json",
}

// wycheproofNotApplicable are the files that are about something else.
var wycheproofNotApplicable = []struct {
	reason   string
	patterns []string
}{
	{reason: "encryption", patterns: []string{
		"a???cbc_hs???_test.json", "aead_*", "aegis*", "aes_*", "aria_*", "ascon*", "camellia_*",
		"c2sp_chunked_encryption_*", "chacha20_*", "json_web_encryption_test.json", "morus*",
		"rsa_oaep_*", "rsa_pkcs1_????_test.json", "rsa_three_primes_oaep_*", "seed_*", "sm4_*",
		"xchacha20_*",
	}},
	{reason: "key agreement or derivation", patterns: []string{
		"ecdh_*", "hkdf_*", "mlkem_*", "pbes2_*", "pbkdf2_*", "x25519_*", "x448_*",
	}},
	{reason: "symmetric authentication", patterns: []string{"hmac_*", "kmac*", "siphash*", "vmac_*"}},
	{reason: "signatures of another kind", patterns: []string{
		"bls_*", "dsa_*", "ed448_test.json", "mldsa_*",
	}},
	{reason: "ECDSA in DER, which a JWS has not", patterns: []string{
		"ecdsa_*_sha???_test.json", "ecdsa_*_sha3_???_test.json", "ecdsa_*_shake???_test.json",
		"ecdsa_*_bitcoin_test.json",
	}},
	{reason: "signing", patterns: []string{"rsa_pkcs1_????_sig_gen_test.json"}},
	{reason: "mathematics", patterns: []string{"ec_prime_order_curves_test.json", "primality_test.json"}},
}

// wycheproofOthers counts the files that are not judged. A file that no list
// knows fails the test, and so does a pattern without a file.
func wycheproofOthers(t *testing.T) string {
	t.Helper()
	used := map[string]bool{}
	matches := func(pattern, name string) bool {
		ok, err := path.Match(pattern, name)
		must(err)
		used[pattern] = used[pattern] || ok
		return ok
	}
	files := map[string]int{}
	for _, name := range conformance.WycheproofFiles(t) {
		var lists []string
		for _, pattern := range wycheproofJudged {
			if matches(pattern, name) {
				lists = append(lists, "judged")
			}
		}
		for _, other := range wycheproofNotApplicable {
			for _, pattern := range other.patterns {
				if matches(pattern, name) {
					lists = append(lists, other.reason)
				}
			}
		}
		if assert.Len(t, lists, 1, "%s must be in one list", name) {
			files[lists[0]]++
		}
	}
	var b strings.Builder
	writeRow := func(cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	writeRow("Wycheproof files", "about")
	b.WriteString("|---:|---|\n")
	writeRow(itoa(files["judged"]), "judged")
	for _, other := range wycheproofNotApplicable {
		writeRow(itoa(files[other.reason]), other.reason+": not applicable")
		assert.NotZero(t, files[other.reason], other.reason)
	}
	return b.String()
}
