package bench

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// inventedKeyIDs is more than any contestant remembers.
const inventedKeyIDs = 4096

const oversize = 1 << 20

// refusal is a kind of bad tokens. Where there are several they are sent in
// turn.
type refusal struct {
	kind   string
	tokens []string
}

// refusals are the tokens whose refusal is measured.
func (w *world) refusals(alg string) []refusal {
	good := w.good(alg)
	return []refusal{
		{"wrong-issuer", []string{w.with(alg, map[string]any{"iss": "https://other.example"})}},
		{"wrong-audience", []string{w.with(alg, map[string]any{"aud": "https://other.example"})}},
		{"expired", []string{w.with(alg, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()})}},
		{"unknown-kid", withInventedKeyIDs(good, alg)},
		{"bad-signature", []string{withBadSignature(good)}},
		{"bad-base64", []string{withBadBase64(good)}},
		{"garbage", []string{garbage(len(good))}},
		{"oversize-a", []string{strings.Repeat("a", oversize)}},
		{"oversize-dots", []string{strings.Repeat(".", oversize)}},
	}
}

// with returns a token that is good but for the claims given.
func (w *world) with(alg string, claims map[string]any) string {
	token := realistic(issuerKeys()[alg])
	maps.Copy(token.Claims, claims)
	return w.issuer.Mint(token)
}

// withInventedKeyIDs returns tokens that keep claims and signature of a good
// one: whoever sends such tokens needs no key.
func withInventedKeyIDs(good, alg string) []string {
	_, rest, _ := strings.Cut(good, ".")
	tokens := make([]string, inventedKeyIDs)
	for i := range tokens {
		header, err := json.Marshal(map[string]string{
			"alg": alg, "kid": rand.Text(), "typ": "at+jwt",
		})
		if err != nil {
			panic(err)
		}
		tokens[i] = base64.RawURLEncoding.EncodeToString(header) + "." + rest
	}
	return tokens
}

func withBadSignature(good string) string {
	dot := strings.LastIndexByte(good, '.') + 1
	signature, err := base64.RawURLEncoding.DecodeString(good[dot:])
	if err != nil {
		panic(err)
	}
	signature[len(signature)/2] ^= 1
	return good[:dot] + base64.RawURLEncoding.EncodeToString(signature)
}

func withBadBase64(good string) string {
	middle := strings.IndexByte(good, '.') + 100
	return good[:middle] + "!" + good[middle+1:]
}

// garbage has the form and the length of a token, and nothing in it.
func garbage(length int) string {
	segment := make([]byte, length/4)
	_, _ = rand.Read(segment) // never fails
	encoded := base64.RawURLEncoding.EncodeToString(segment)
	return encoded + "." + encoded + "." + encoded
}

// withoutScope is a valid token that has no scope.
func (w *world) withoutScope(alg string) string {
	return w.with(alg, map[string]any{"scope": claimstest.Omit})
}
