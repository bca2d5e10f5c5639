package claims_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// disagreements are all that are known and meant.
var disagreements = sync.OnceValue(func() []disagreement {
	return slices.Concat(formDisagreements(), jsonDisagreements(), memberDisagreements(),
		keyDisagreements(), claimDisagreements())
})

// either looks at the header and at the payload.
func either(holds func(document) bool) func(sighting) bool {
	return func(s sighting) bool { return holds(s.header) || holds(s.payload) }
}

func formDisagreements() []disagreement {
	good := forged(head(nil), body(nil))
	parts := strings.Split(good, ".")
	inJSON := func(format string) string { return fmt.Sprintf(format, parts[0], parts[1], parts[2]) }
	mallory := body(m{"sub": "mallory"})
	escaped := strings.ReplaceAll(body(nil), ".", `\u002e`)
	return []disagreement{
		{
			name: "over 16 KiB", reason: claims.ReasonTooLarge,
			because: "No header line is that long; what parsing may cost is bounded " +
				"(RFC 9110 section 5.4).",
			holds:  func(s sighting) bool { return len(s.text) > defaultMaxTokenSize },
			tokens: []string{sized(defaultMaxTokenSize + 1), sized(3 * defaultMaxTokenSize)},
		},
		{
			name: "not canonical base64url", reason: claims.ReasonMalformed,
			because: "Base64url is without padding, line breaks, white space or another alphabet, " +
				"and a token has one spelling (RFC 7515 section 2, RFC 4648 section 3.5).",
			holds: func(s sighting) bool {
				return s.segments != nil && !slices.ContainsFunc(s.segments, func(segment string) bool {
					return strings.HasPrefix(segment, "{")
				}) && (s.text != strings.TrimSpace(s.text) || !canonical(s.segments[0]) ||
					!canonical(s.segments[1]) || !canonical(s.segments[2]))
			},
			tokens: []string{
				good + "\n", " " + good, good[:len(good)-9] + "\r\n" + good[len(good)-9:],
				respelled(stray), respelled(toStandard.Replace),
				respelled(func(s string) string { return s + "==" }),
				parts[0][:4] + "\n" + parts[0][4:] + "." + parts[1] + "." + parts[2],
			},
		},
		{
			name: "JSON serialization", reason: claims.ReasonMalformed,
			because: "A JWT is in compact serialization (RFC 7519 section 1).",
			holds: func(s sighting) bool {
				return strings.HasPrefix(strings.TrimSpace(s.text), "{")
			},
			tokens: []string{
				inJSON(`{"payload":%[2]q,"signatures":[{"protected":%[1]q,"signature":%[3]q}]}`),
				// Here jwx takes claims that nobody signed.
				with(inJSON(`{"protected":%q,"payload":%q,"signature":%q}`), strings.Trim(mallory, "{}")),
			},
		},
		{
			name: "unencoded payload", reason: claims.ReasonCritical,
			because: "A JWT must not use an unencoded payload (RFC 7797 section 7).",
			holds: func(s sighting) bool {
				return s.segments != nil && string(s.header.members["b64"]) != "true" &&
					s.header.has("b64") && strings.HasPrefix(s.segments[1], "{")
			},
			tokens: []string{spelled("p256", "ES256", b64([]byte(head(m{"b64": false}))), escaped)},
		},
		{
			name: "nested", reason: claims.ReasonMalformed,
			because: "An access token is a JWS whose payload is the claims (RFC 9068 section 2.1).",
			holds: func(s sighting) bool {
				return bytes.Count(s.payload.text, []byte(".")) == 2 && s.payload.members == nil
			},
			tokens: []string{forged(head(nil), good)},
		},
		{
			name: "nested in JSON serialization", reason: claims.ReasonIssuer,
			because: "An access token is a JWS whose payload is the claims (RFC 9068 section 2.1).",
			holds: func(s sighting) bool {
				return !s.payload.has("iss") && s.payload.has("payload") && s.payload.has("signatures")
			},
			tokens: []string{forged(head(nil), inJSON(
				`{"payload":%[2]q,"signatures":[{"protected":%[1]q,"signature":%[3]q}]}`))},
		},
		{
			name: "more after the object", reason: claims.ReasonMalformed,
			because: "Header and claims are each one JSON object and nothing else (RFC 7519 section 7.2).",
			holds: either(func(d document) bool {
				return d.value != nil && len(bytes.Trim(d.rest, " \t\r\n")) > 0
			}),
			tokens: []string{
				forged(head(nil), body(nil)+"x"), forged(head(nil), body(nil)+body(m{"sub": "bob"})),
				b64([]byte(head(nil)+"x")) + "." + parts[1] + "." + parts[2],
			},
		},
		{
			name: "white space put around the header", reason: claims.ReasonSignature,
			because: "The signature is over the header as it was received (RFC 7515 section 5.2, step 8).",
			holds: func(s sighting) bool {
				return s.header.surrounded() && !s.verifiesWith(rsa.PSSSaltLengthAuto)
			},
			tokens: []string{
				b64([]byte(head(nil)+" ")) + "." + parts[1] + "." + parts[2],
				b64([]byte("\n"+head(nil))) + "." + parts[1] + "." + parts[2],
			},
		},
	}
}

func jsonDisagreements() []disagreement {
	also := func(members string) string { return forged(head(nil), with(body(nil), members)) }
	header := func(members string) string { return forged(with(head(nil), members), body(nil)) }
	return []disagreement{
		{
			name: "member twice", reason: claims.ReasonMalformed,
			because: "Names are unique, at any depth; parsers differ in which of two counts " +
				"(RFC 7519 section 4, RFC 7515 section 4).",
			holds: either(func(d document) bool { return d.duplicate }),
			tokens: []string{
				also(`"iss":"` + issuerURL + `"`), also(`"x":[{"y":1,"\u0079":1}]`), header(`"alg":"ES256"`),
				also(numbered(40) + `,"x39":0`),
			},
			payloads: []string{`{"x":1,"x":1}`, `{"x":{"":1,"":2}}`},
		},
		{
			name: "name in another case", reason: claims.ReasonMalformed,
			because: "Names are case-sensitive (RFC 7519 section 10.1.1), and encoding/json does not " +
				"heed it.",
			holds: func(s sighting) bool {
				return s.header.variant(headerFields) || s.payload.variant(payloadFields)
			},
			tokens:   []string{also(`"ISS":"x"`), also("\"\u017fub\":1"), header(`"Kid":"p384"`)},
			payloads: []string{`{"Aud":[]}`, `{"i\u017fs":""}`, `{"CLIENT_ID":1}`},
		},
		{
			name: "not UTF-8", reason: claims.ReasonMalformed,
			because: "JSON is exchanged in UTF-8 (RFC 8259 section 8.1, RFC 7519 section 7.2).",
			holds:   either(func(d document) bool { return !utf8.Valid(d.text) }),
			tokens: []string{
				also("\"x\":\"\xff\""), also("\"x\":\"\xed\xa0\x80\""), also("\"\xc0\xaf\":1"), header("\"x\":\"\x80\""),
			},
			payloads: []string{"{\"\xff\":1}", "{\"sub\":\"\xc3\"}"},
		},
		{
			name: "lone surrogate", reason: claims.ReasonMalformed,
			because: "It is no character, and parsers differ in what they make of it (RFC 8259 section 8.2).",
			holds:   either(document.loneSurrogate),
			tokens: []string{
				also(`"x":"\ud800"`), also(`"x":"\udc00\ud800"`), also(`"\udfff":1`), header(`"x":"\ud800\n"`),
				also(`"x":"\ud800x\udc00"`),
			},
			payloads: []string{`{"sub":"\ud83d"}`, `{"\\\ude00":1}`},
		},
		{
			name: "over 32 deep", reason: claims.ReasonMalformed,
			because:  "A parser may bound the depth (RFC 8259 section 9).",
			holds:    either(func(d document) bool { return d.depth > 32 }),
			tokens:   []string{forged(head(nil), deep(33)), header(`"x":` + nested(32))},
			payloads: []string{`{"x":` + nested(32) + `}`},
		},
		{
			name: "too many members", reason: claims.ReasonMalformed,
			because: "A parser may bound the size of texts (RFC 8259 section 9), and no issuer " +
				"writes so many.",
			holds: func(s sighting) bool {
				return len(s.header.members) > 64 || len(s.payload.members) > 256 ||
					s.header.count > 512 || s.payload.count > 512
			},
			tokens: []string{
				header(numbered(62)), also(numbered(251)), also(`"x":{` + numbered(507) + `}`),
			},
			payloads: []string{`{` + numbered(257) + `}`, `{"x":[{` + numbered(511) + `},{"y":0}]}`},
		},
		{
			name: "too many scopes or audiences", reason: claims.ReasonMalformed,
			because: "A parser may bound the size of texts (RFC 8259 section 9), and no issuer " +
				"grants so many.",
			holds: func(s sighting) bool {
				return s.payload.anyOf(payloadLists, func(value json.RawMessage) bool {
					var list []json.RawMessage
					return json.Unmarshal(value, &list) == nil && len(list) > 1024
				}) || s.payload.anyOf([]string{"scope", "scp"}, func(value json.RawMessage) bool {
					var text string
					err := json.Unmarshal(value, &text)
					words := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' })
					return err == nil && len(words) > 1024
				})
			},
			tokens:   []string{also(`"scp":[""` + strings.Repeat(`,""`, 1024) + `]`)},
			payloads: []string{`{"scope":"a` + strings.Repeat(" a", 1024) + `"}`},
		},
	}
}

func memberDisagreements() []disagreement {
	is := func(changes m) string { return forged(head(nil), body(changes)) }
	has := func(name, value string) string {
		return forged(head(nil), with(body(m{name: claimstest.Omit}), `"`+name+`":`+value))
	}
	header := func(changes m) string { return forged(head(changes), body(nil)) }
	anyDate := func(wrong func(json.RawMessage) bool) func(sighting) bool {
		return func(s sighting) bool { return s.payload.anyOf(payloadDates, wrong) }
	}
	return []disagreement{
		{
			name: "claim of another type", reason: claims.ReasonMalformed,
			because: "Claims have the types of their definitions (RFC 7519 section 4.1, RFC 8693 " +
				"sections 4.2 and 4.3); null is none of them.",
			holds: func(s sighting) bool {
				return s.payload.anyOf(payloadStrings, notString) || s.payload.anyOf(payloadLists, notStrings)
			},
			tokens: []string{
				is(m{"sub": nil}), is(m{"jti": nil}), is(m{"client_id": 1}), is(m{"azp": m{}}),
				is(m{"scope": 1}), is(m{"scp": []any{"a", nil}}), is(m{"scope": nil}),
			},
			payloads: []string{`{"iss":null}`, `{"aud":[null]}`, `{"aud":{}}`, `{"sub":1}`, `{"scope":[[]]}`},
		},
		{
			name: "header parameter of another type", reason: claims.ReasonMalformed,
			because: "\"alg\", \"kid\", \"typ\" and \"cty\" are strings (RFC 7515 section 4.1).",
			holds:   func(s sighting) bool { return s.header.anyOf(headerStrings, notString) },
			tokens:  []string{header(m{"kid": nil}), header(m{"typ": nil}), header(m{"cty": nil})},
		},
		{
			name: "time that is no number", reason: claims.ReasonMalformed,
			because:  "A NumericDate is a number (RFC 7519 section 2).",
			holds:    anyDate(notNumber),
			tokens:   []string{is(m{"exp": "4102444800"}), is(m{"exp": "2100-01-01T00:00:00Z"}), is(m{"nbf": "1"})},
			payloads: []string{`{"exp":null}`, `{"nbf":"1"}`, `{"iat":[]}`},
		},
		{
			name: "time out of 1970 to 9999", reason: claims.ReasonMalformed,
			because: "RFC 3339 section 5.6 can write no later year, and before 1970 there was no token " +
				"(RFC 7519 section 2 counts from there).",
			holds:    anyDate(outOfRange),
			tokens:   []string{is(m{"exp": lastSecond + 1}), has("exp", "1e18")},
			payloads: []string{`{"exp":-1}`, `{"nbf":253402300799.5}`, `{"iat":1e999999999}`, `{"iat":-0.1}`},
		},
		{
			name: "time of over 64 characters", reason: claims.ReasonMalformed,
			because: "No clock has so many digits, and a parser may bound the precision of numbers " +
				"(RFC 8259 section 9).",
			holds:    anyDate(longNumber),
			tokens:   []string{has("exp", "4102444800."+strings.Repeat("0", 54))},
			payloads: []string{`{"exp":1.` + strings.Repeat("0", 63) + `}`},
		},
		{
			name: "no exp", reason: claims.ReasonClaims,
			because: "An access token has an expiration time (RFC 9068 section 2.2).",
			holds: func(s sighting) bool {
				return s.payload.members != nil && !s.payload.has("exp")
			},
			tokens: []string{is(m{"exp": claimstest.Omit})},
		},
		{
			name: "exp in the first second of 1970", reason: claims.ReasonExpired,
			because: "It is a time like others (RFC 7519 section 4.1.4), not none.",
			holds: func(s sighting) bool {
				date, ok := exactDate(string(s.payload.members["exp"]))
				return ok && date.Unix() == 0
			},
			tokens: []string{is(m{"exp": 0}), has("exp", "0.5"), has("exp", "1e-9")},
		},
		{
			name: "fraction of a second too early", reason: claims.ReasonNotYetValid,
			because: "A NumericDate may have a fraction (RFC 7519 section 2), which counts.",
			loose:   true,
			holds: func(s sighting) bool {
				return s.payload.anyOf([]string{"nbf", "iat"}, func(value json.RawMessage) bool {
					date, ok := exactDate(string(value))
					return ok && time.Until(date).Abs() <= 30*time.Second+2*time.Second &&
						time.Until(date) > 30*time.Second-2*time.Second
				})
			},
			tokens: []string{has("nbf", "946684830.5"), has("iat", "946684830.25")},
		},
	}
}
