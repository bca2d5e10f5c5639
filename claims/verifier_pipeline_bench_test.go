//go:build !race

// A measurement says nothing under the race detector.

package claims_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// costlyPayloads are payloads that fill a token of the greatest size with what
// costs most to read before anything is known of its sender. Each ends as it
// must not, so that it is refused at its very end, or says that it is for
// somebody else.
func costlyPayloads() []hostileShape {
	return []hostileShape{
		{name: "lower-case names", before: "{", unit: `"a%x":0`, after: "}", numbered: true},
		{name: "names in capitals", before: "{", unit: `"A%X":0`, after: "}", numbered: true},
		{name: "names of a long s", before: "{", unit: "\"\u017f%x\":0", after: "}", numbered: true},
		{name: "names like client_id", before: "{", unit: `"CLIENT_ID%X":0`, after: "}", numbered: true},
		{name: "255 names in capitals", before: "{", unit: `"` + strings.Repeat("A", 36) + `%03X":"aa"`, after: "}", numbered: true},
		{name: "nested names", before: `{"x":{`, unit: `"%x":0`, after: "}}", numbered: true},
		{name: "objects of a member", before: `{"x":[`, unit: `{"":0}`, after: "]}"},
		{name: "objects of 17 members", before: `{"x":[`, unit: `{"a":0,"b":0,"c":0,"d":0,"e":0,"f":0,"g":0,"h":0,"i":0,"j":0,"k":0,"l":0,"m":0,"n":0,"o":0,"p":0,"q":0}`, after: "]}"},
		{name: "empty objects", before: `{"x":[`, unit: "{}", after: "]}"},
		{name: "empty arrays", before: `{"x":[`, unit: "[]", after: "]}"},
		{name: "deep arrays", before: `{"x":[`, unit: nested(31), after: "]}"},
		{name: "deep objects", before: `{"x":[`, unit: strings.Repeat(`{"":`, 30) + "0" + strings.Repeat("}", 30), after: "]}"},
		{name: "numbers", before: `{"x":[`, unit: "0", after: "]}"},
		{name: "fractions", before: `{"x":[`, unit: "-0.5e-1", after: "]}"},
		{name: "literals", before: `{"x":[`, unit: "null", after: "]}"},
		{name: "empty strings", before: `{"x":[`, unit: `""`, after: "]}"},
		{name: "white space", before: `{"x":[`, unit: "0 \n", after: "]}"},
		{name: "only white space", before: `{"x":0`, unit: " ", after: "}", joined: true},
		{name: "escapes", before: `{"sub":"`, unit: `\u0041`, after: `"}`, joined: true},
		{name: "escaped pairs", before: `{"sub":"`, unit: `\ud83d\ude00`, after: `"}`, joined: true},
		{name: "short escapes", before: `{"sub":"`, unit: `\n`, after: `"}`, joined: true},
		{name: "short escapes, unused", before: `{"x":"`, unit: `\n`, after: `"}`, joined: true},
		{name: "every other escaped", before: `{"sub":"`, unit: `a\n`, after: `"}`, joined: true},
		{name: "beyond ASCII", before: `{"sub":"`, unit: "\u017f", after: `"}`, joined: true},
		{name: "audiences", before: `{"aud":[`, unit: `""`, after: "]}"},
		{name: "audiences with escapes", before: `{"aud":[`, unit: `"\n"`, after: "]}"},
		{name: "scopes", before: `{"scope":"`, unit: "a ", after: `"}`, joined: true},
		{name: "array of scopes", before: `{"scp":[`, unit: `"a"`, after: "]}"},
		{name: "a long number", before: `{"exp":1.`, unit: "0", after: "}", joined: true},
	}
}

// What is refused costs no more than what is accepted.
func BenchmarkRefusedPayload(b *testing.B) {
	for _, algorithm := range []string{"RS256", "ES256"} {
		issuer := newIssuer(b, claimstest.Config{Algorithm: algorithm})
		verifier := newVerifier(b, issuer, func(cfg *claims.Config) { cfg.MaxTokens = -1 })
		good := accessToken(issuer, claimstest.Token{})
		_, err := verifier.Authenticate(b.Context(), good)
		require.NoError(b, err)
		b.Run("good "+algorithm, func(b *testing.B) {
			for b.Loop() {
				_, _ = verifier.Authenticate(b.Context(), good)
			}
		})
	}
	issuer := newForgerIssuer(b)
	verifier := newVerifier(b, issuer, nil)
	const room = 3 * (defaultMaxTokenSize - 300) / 4
	run := func(name, header, payload string) {
		token := bearer(forged(header, payload))
		require.LessOrEqual(b, len(token.Token), defaultMaxTokenSize, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verifier.Authenticate(b.Context(), token); err == nil {
					b.Fatal("accepted")
				}
			}
		})
	}
	for _, shape := range costlyPayloads() {
		run(shape.name, head(nil), shape.object(room))
	}
	for _, shape := range costlyPayloads() {
		run("header of "+shape.name, shape.object(room), "{}")
	}
	// As far as the claims that the Config names, but for a last one that is
	// missing.
	verifier = newVerifier(b, issuer, func(cfg *claims.Config) {
		cfg.RequiredClaims = []string{
			"tenant", "roles", "groups", "organization_id", "https://example.com/claims/region", "missing",
		}
	})
	for _, shape := range costlyPayloads() {
		object := shape.object(room - len(body(nil)))
		run("claims and "+shape.name, head(nil), with(body(nil), object[1:len(object)-1]))
	}
}
