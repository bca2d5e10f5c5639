package claims_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// attack is a token that is right but for one thing.
type attack struct {
	name   string
	token  string
	reason claims.Reason // empty for a control, which must be accepted
	cold   int           // requests for the key set that it may cause, nothing being known
	warm   int           // and while keys are held
}

// each makes an attack of each token.
func each(reason claims.Reason, cold, warm int, tokens map[string]string) []attack {
	var list []attack
	for name, token := range tokens {
		list = append(list, attack{name, token, reason, cold, warm})
	}
	return list
}

// controls prove that each way in which attacks are made makes good tokens.
func controls() []attack {
	list := each("", 1, 0, map[string]string{
		"good":                       forged(head(nil), body(nil)),
		"exactly 16 KiB":             sized(defaultMaxTokenSize),
		"white space in the objects": forged(padded(head(nil)), padded(body(nil))),
		"other header members":       forged(with(head(nil), `"x":{"alg":[null]}`), body(nil)),
		"other claims":               forged(head(nil), with(body(nil), `"act":{"sub":""},"x":[{},[1]]`)),
		"same name at another depth": forged(head(nil), with(body(nil), `"act":{"iss":{"iss":1}}`)),
		"b64 true":                   forged(head(m{"b64": true}), body(nil)),
		"no kid":                     forged(head(m{"kid": claimstest.Omit}), body(nil)),
		"no typ":                     forged(head(m{"typ": claimstest.Omit}), body(nil)),
		"typ JWT":                    forged(head(m{"typ": "jwt"}), body(nil)),
		"typ in full":                forged(head(m{"typ": "Application/AT+JWT"}), body(nil)),
		"cty of something else":      forged(head(m{"cty": "json"}), body(nil)),
		"aud a string":               forged(head(nil), body(m{"aud": claimstest.Audience})),
		"one aud of several": forged(
			head(nil), body(m{"aud": []string{"x", claimstest.Audience}}),
		),
		"no iat":                      forged(head(nil), body(m{"iat": claimstest.Omit})),
		"nbf in the past":             forged(head(nil), body(m{"nbf": longAgo})),
		"exp a fraction":              forged(head(nil), body(m{"exp": 4102444800.25})),
		"exp the last second of 9999": forged(head(nil), body(m{"exp": lastSecond})),
		"payload 32 deep":             forged(head(nil), deep(32)),
		"header of 64 members":        forged(with(head(nil), numbered(61)), body(nil)),
		"payload of 256 members":      forged(head(nil), with(body(nil), numbered(256-claimsOf(body(nil))))),
		"payload of 512 in all":       forged(head(nil), with(body(nil), `"x":{`+numbered(511-claimsOf(body(nil)))+"}")),
		"signature unchanged":         resigned(slices.Clone[[]byte]),
		"name written with escapes": forged(
			head(nil), strings.Replace(body(nil), `"iss"`, `"\u0069ss"`, 1),
		),
	})
	for _, id := range issuerKeys {
		for _, alg := range forger()[id].algorithms {
			list = append(list, attack{
				name: alg + " by " + id, cold: 1,
				token: forgedBy(id, alg, head(m{"alg": alg, "kid": id}), body(nil)),
			})
		}
	}
	return list
}

// deep is a payload of n levels.
// claimsOf returns how many claims a payload has.
func claimsOf(payload string) int {
	var members m
	must(json.Unmarshal([]byte(payload), &members))
	return len(members)
}

func deep(n int) string {
	return with(body(nil), `"x":`+nested(n-1))
}

func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func algorithmAttacks() []attack {
	var list []attack
	for _, none := range []string{"none", "None", "NONE", "nOnE", "none ", " none"} {
		token := forged(head(m{"alg": none}), body(nil))
		unsigned := token[:strings.LastIndexByte(token, '.')+1]
		list = append(list,
			attack{
				name: fmt.Sprintf("alg %q, signed", none), reason: claims.ReasonAlgorithm,
				token: token,
			},
			attack{
				name: fmt.Sprintf("alg %q, any signature", none), reason: claims.ReasonAlgorithm,
				token: unsigned + "AA",
			},
			attack{
				name: fmt.Sprintf("alg %q, no signature", none), reason: claims.ReasonAlgorithm,
				token: unsigned,
			},
		)
	}
	public := &forger()["rs256"].private.(*rsa.PrivateKey).PublicKey
	pkix, err := x509.MarshalPKIXPublicKey(public)
	must(err)
	pkcs1 := x509.MarshalPKCS1PublicKey(public)
	encoded := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pkix})
	for _, secret := range []struct {
		name string
		key  []byte
	}{
		{"PKIX DER", pkix},
		{"PKIX PEM", encoded},
		{"PKIX PEM without the last line break", bytes.TrimSpace(encoded)},
		{"PKCS1 DER", pkcs1},
		{"PKCS1 PEM", pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: pkcs1})},
		{"JWK", encodeJSON(forger()["rs256"].jwk)},
		{"modulus", public.N.Bytes()},
		{"empty", nil},
	} {
		for _, kid := range []any{"rs256", claimstest.Omit} {
			input := b64([]byte(head(m{"alg": "HS256", "kid": kid}))) + "." + b64([]byte(body(nil)))
			mac := hmac.New(sha256.New, secret.key)
			mac.Write([]byte(input))
			list = append(list, attack{
				name:   fmt.Sprintf("HS256 with the public key, %s, kid %v", secret.name, kid),
				reason: claims.ReasonAlgorithm,
				token:  input + "." + b64(mac.Sum(nil)),
			})
		}
	}
	es256 := func(change m) string { return forged(head(change), body(nil)) }
	return append(list, slices.Concat(
		each(claims.ReasonAlgorithm, 0, 0, map[string]string{
			"alg missing":       es256(m{"alg": claimstest.Omit}),
			"alg empty":         es256(m{"alg": ""}),
			"alg in lower case": es256(m{"alg": "es256"}),
			"alg ES256K":        es256(m{"alg": "ES256K"}),
			"alg Ed448":         es256(m{"alg": "Ed448"}),
			"alg RS1":           es256(m{"alg": "RS1"}),
			"alg of encryption": es256(m{"alg": "RSA-OAEP"}),
		}),
		each(claims.ReasonMalformed, 0, 0, map[string]string{
			"alg null":     es256(m{"alg": nil}),
			"alg a number": es256(m{"alg": 256}),
			"alg an array": es256(m{"alg": []string{"ES256"}}),
		}),
		each(claims.ReasonAlgorithm, 1, 0, map[string]string{
			"ES256 naming an RSA key":     es256(m{"kid": "rs256"}),
			"ES256 naming a P-384 key":    es256(m{"kid": "p384"}),
			"ES256 naming an Ed25519 key": es256(m{"kid": "ed25519"}),
			"ES256 signed with the P-384 key": forgedBy(
				"p384", "ES256", head(m{"kid": "p384"}), body(nil),
			),
			"ES384 signed with the P-256 key": forgedBy(
				"p256", "ES384", head(m{"alg": "ES384"}), body(nil),
			),
			"ES384 label on ES256": es256(m{"alg": "ES384"}),
			"RS256 labelled PS256, key bound to RS256": forgedBy(
				"rs256", "RS256", head(m{"alg": "PS256", "kid": "rs256"}), body(nil),
			),
			"PS256 by a key bound to RS256, properly signed": forgedBy(
				"rs256", "PS256", head(m{"alg": "PS256", "kid": "rs256"}), body(nil),
			),
			"EdDSA naming a P-256 key": forgedBy("ed25519", "EdDSA", head(m{"alg": "EdDSA"}), body(nil)),
		}),
		each(claims.ReasonSignature, 1, 0, map[string]string{
			"RS256 labelled PS256, key of any algorithm": forgedBy(
				"rsa", "RS256", head(m{"alg": "PS256", "kid": "rsa"}), body(nil),
			),
			"PS256 labelled RS256, key of any algorithm": forgedBy(
				"rsa", "PS256", head(m{"alg": "RS256", "kid": "rsa"}), body(nil),
			),
			"RS512 labelled RS256": forgedBy(
				"rsa", "RS512", head(m{"alg": "RS256", "kid": "rsa"}), body(nil),
			),
		}),
	)...)
}

func formAttacks() []attack {
	good := forged(head(nil), body(nil))
	parts := strings.Split(good, ".")
	h, p := b64([]byte(padded(head(nil)))), b64([]byte(padded(body(nil))))
	inverted := b64([]byte(with(body(nil), `"x":"~~~???>>>"`)))
	if toStandard.Replace(inverted) == inverted {
		panic("the payload is the same in both alphabets")
	}
	es256 := func(header, payload string) string { return spelled("p256", "ES256", header, payload) }
	jwe := strings.Join([]string{
		b64([]byte(`{"alg":"RSA-OAEP","enc":"A256GCM","kid":"rs256"}`)),
		b64(material("key", 256)), b64(material("iv", 12)), b64(material("text", 200)),
		b64(material("tag", 16)),
	}, ".")
	list := slices.Concat(
		each(claims.ReasonMalformed, 0, 0, map[string]string{
			"no token":                      "",
			"one segment":                   parts[0],
			"two segments":                  parts[0] + "." + parts[1],
			"four segments":                 good + ".AA",
			"four segments, the last empty": good + ".",
			"five segments":                 good + ".AA.AA",
			"five segments of no JWE":       parts[0] + ".AA.AA.AA.AA",
			"five segments, no header":      ".AA.AA.AA.AA",
			"JWE with a sixth segment":      jwe + ".AA",
			"dots alone":                    "..",
			"many dots":                     strings.Repeat(".", 1000),
			"leading dot":                   "." + good,
			"empty header":                  es256("", parts[1]),
			"empty payload":                 es256(parts[0], ""),
			"empty signature":               parts[0] + "." + parts[1] + ".",
			"JSON serialization": fmt.Sprintf(
				`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2],
			),
			"padding in the header":              es256(h+"==", p),
			"padding in the payload":             es256(h, p+"=="),
			"padding in the signature":           respelled(func(s string) string { return s + "==" }),
			"stray bits in the header":           es256(stray(h), p),
			"stray bits in the payload":          es256(h, stray(p)),
			"stray bits in the signature":        respelled(stray),
			"payload a character short":          es256(h, b64([]byte(body(nil) + "  "))[:4]+p[4:]+"AAA"),
			"standard alphabet in the payload":   es256(h, toStandard.Replace(inverted)),
			"standard alphabet in the signature": respelled(toStandard.Replace),
			"percent-encoded dot":                strings.Replace(good, ".", "%2E", 1),
			"scheme twice":                       "Bearer " + good,
			"quoted":                             `"` + good + `"`,
			"not ASCII":                          good + "é",
			"NUL":                                good + "\x00",
			"comma and another token":            good + "," + good,
		}),
		each(claims.ReasonEncrypted, 0, 0, map[string]string{
			"JWE":                   jwe,
			"JWE of three segments": es256(b64([]byte(head(m{"enc": "A256GCM"}))), parts[1]),
		}),
		each(claims.ReasonTooLarge, 0, 0, map[string]string{
			"one byte over 16 KiB": sized(defaultMaxTokenSize + 1),
			"a megabyte":           strings.Repeat("A", 1<<20),
		}),
	)
	for name, s := range map[string]string{
		"line feed": "\n", "carriage return": "\r", "both": "\r\n", "space": " ", "tab": "\t",
	} {
		list = append(list,
			attack{
				name: name + " before the token", reason: claims.ReasonMalformed,
				token: s + good,
			},
			attack{name: name + " after the token", token: good + s, reason: claims.ReasonMalformed},
			attack{
				name: name + " in the header", reason: claims.ReasonMalformed,
				token: es256(h[:8]+s+h[8:], p),
			},
			attack{
				name: name + " in the payload", reason: claims.ReasonMalformed,
				token: es256(h, p[:8]+s+p[8:]),
			},
			attack{
				name: name + " in the signature", reason: claims.ReasonMalformed,
				token: respelled(func(signature string) string {
					return signature[:8] + s + signature[8:]
				}),
			},
		)
	}
	return list
}

func headerAttacks() []attack {
	es256 := func(change m) string { return forged(head(change), body(nil)) }
	text := func(members string) string { return forged(with(head(nil), members), body(nil)) }
	list := slices.Concat(
		each(claims.ReasonCritical, 0, 0, map[string]string{
			"crit of an unknown name":          text(`"crit":["x"],"x":1`),
			"crit of a name that is not there": text(`"crit":["x"]`),
			"crit of a known name":             text(`"crit":["alg"]`),
			"crit of exp":                      text(`"crit":["exp"],"exp":1`),
			"crit empty":                       text(`"crit":[]`),
			"crit null":                        text(`"crit":null`),
			"crit false":                       text(`"crit":false`),
			"crit a string":                    text(`"crit":"x"`),
			"b64 false":                        text(`"b64":false`),
			"b64 false and critical":           text(`"crit":["b64"],"b64":false`),
			"b64 true and critical":            text(`"crit":["b64"],"b64":true`),
			"b64 null":                         text(`"b64":null`),
			"b64 a string":                     text(`"b64":"true"`),
			"b64 zero":                         text(`"b64":0`),
			"b64 an object":                    text(`"b64":{}`),
		}),
		each(claims.ReasonCritical, 0, 0, map[string]string{
			"unencoded payload": spelled(
				"p256", "ES256", b64([]byte(head(m{"b64": false}))), body(m{"iss": "x", "aud": "y"}),
			),
		}),
		each(claims.ReasonMalformed, 0, 0, map[string]string{
			"alg twice":            text(`"alg":"ES256"`),
			"alg twice, none last": text(`"alg":"none"`),
			"alg twice, none first": forged(
				with(`{"alg":"none"}`, head(nil)[1:len(head(nil))-1]), body(nil),
			),
			"alg twice, escaped":                text(`"\u0061lg":"ES256"`),
			"kid twice":                         text(`"kid":"p256"`),
			"kid twice, escaped in part":        text(`"k\u0069d":"p256"`),
			"unknown member twice":              text(`"x":1,"x":1`),
			"nested member twice":               text(`"x":{"y":1,"y":1}`),
			"member of an array's object twice": text(`"x":[[{"y":1,"\u0079":1}]]`),
			"member twice within crit":          text(`"crit":[{"y":1,"y":1}]`),
			"ALG beside alg":                    text(`"ALG":"none"`),
			"Alg instead of alg":                es256(m{"alg": claimstest.Omit, "Alg": "ES256"}),
			"Kid beside kid":                    text(`"Kid":"rs256"`),
			"Kelvin sign kid":                   text(`"` + "\u212a" + `id":"rs256"`),
			"Kelvin sign kid, escaped":          text(`"\u212Aid":"rs256"`),
			"Crit":                              text(`"Crit":["x"]`),
			"B64":                               text(`"B64":false`),
			"Typ":                               text(`"Typ":"at+jwt"`),
			"CTY":                               text(`"CTY":"JWT"`),
			"kid a number":                      text(`"kid":1`),
			"kid a number alone":                es256(m{"kid": 1}),
			"kid null":                          es256(m{"kid": nil}),
			"kid an object":                     es256(m{"kid": m{}}),
			"typ null":                          es256(m{"typ": nil}),
			"typ an array":                      es256(m{"typ": []string{"at+jwt"}}),
			"cty null":                          es256(m{"cty": nil}),
			"header an array":                   forged(`["ES256"]`, body(nil)),
			"header a string":                   forged(`"ES256"`, body(nil)),
			"header null":                       forged(`null`, body(nil)),
			"header with a comma too many":      forged(head(nil)[:len(head(nil))-1]+",}", body(nil)),
			"header and more":                   forged(head(nil)+"{}", body(nil)),
			"header with a byte order mark":     forged("\ufeff"+head(nil), body(nil)),
			"header not UTF-8":                  text("\"x\":\"\xff\""),
			"header too deep":                   text(`"x":` + nested(32)),
			"header of 65 members":              text(numbered(62)),
			"header of 513 in all":              text(`"x":{` + numbered(509) + "}"),
			"header in UTF-16":                  forged("{\x00}\x00", body(nil)),
		}),
		each(claims.ReasonAlgorithm, 0, 0, map[string]string{
			"header empty object": forged(`{}`, body(nil)),
		}),
	)
	for _, typ := range []string{
		"logout+jwt", "dpop+jwt", "secevent+jwt", "entity-statement+jwt", "id_token", "id+jwt",
		"token-introspection+jwt", "oauth-authz-req+jwt", "wallet-attestation+jwt", "JOSE", "JWE", "JWS",
		"at+jwt ", " at+jwt", "at+jwt;v=1", "at", "jwt+at", "xat+jwt", "text/at+jwt", "application/",
		"application/application/at+jwt", "application/logout+jwt", "application/x/at+jwt", "at+jwt\x00",
	} {
		list = append(list, attack{
			name: fmt.Sprintf("typ %q", typ), reason: claims.ReasonType,
			token: es256(m{"typ": typ}),
		})
	}
	inner := forged(head(nil), body(nil))
	for _, cty := range []string{"JWT", "jwt", "application/jwt"} {
		list = append(list,
			attack{name: "cty " + cty, token: es256(m{"cty": cty}), reason: claims.ReasonType},
			attack{
				name: "nested, cty " + cty, reason: claims.ReasonType,
				token: forged(head(m{"cty": cty}), inner),
			},
		)
	}
	return append(list, attack{
		name: "nested", reason: claims.ReasonMalformed,
		token: forged(head(nil), inner),
	})
}

func payloadAttacks() []attack {
	is := func(payload string) string { return forged(head(nil), payload) }
	also := func(members string) string { return is(with(body(nil), members)) }
	good := body(nil)
	list := each(claims.ReasonMalformed, 0, 0, map[string]string{
		"payload an array":              is("[" + good + "]"),
		"payload a string":              is(`"alice"`),
		"payload a number":              is("1"),
		"payload null":                  is("null"),
		"payload true":                  is("true"),
		"payload a space":               is(" "),
		"payload cut short":             is(good[:len(good)-1]),
		"payload a form":                is("iss=" + issuerURL),
		"value not UTF-8":               also("\"x\":\"\xc3\x28\""),
		"name not UTF-8":                also("\"\xff\":1"),
		"surrogate in UTF-8":            also("\"x\":\"\xed\xa0\x80\""),
		"overlong UTF-8":                also("\"x\":\"\xc0\xaf\""),
		"lone high surrogate":           also(`"x":"\ud800"`),
		"lone low surrogate":            also(`"x":"\udc00"`),
		"surrogates in the wrong order": also(`"x":"\udc00\ud800"`),
		"lone surrogate in a name":      also(`"\ud800":1`),
		"byte order mark":               is("\ufeff" + good),
		"letters after it":              is(good + "x"),
		"another object after it":       is(good + good),
		"bracket after it":              is(good + "}"),
		"NUL after it":                  is(good + "\x00"),
		"comma too many":                is(good[:len(good)-1] + ",}"),
		"comment":                       is(good[:len(good)-1] + "/**/}"),
		"single quotes":                 is(strings.ReplaceAll(good, `"`, `'`)),
		"no quotes":                     also(`x:1`),
		"NaN":                           also(`"x":NaN`),
		"control character in a string": also("\"x\":\"a\nb\""),
		"33 deep":                       is(deep(33)),
		"257 members":                   also(numbered(257 - claimsOf(good))),
		"513 members in all":            also(`"x":{` + numbered(512-claimsOf(good)) + "}"),
		"1025 scopes":                   is(body(m{"scope": "a" + strings.Repeat(" a", 1024)})),
		"1025 audiences":                is(body(m{"aud": append(make([]string, 1024), claimstest.Audience)})),
		"10000 deep and open":           is(strings.Repeat(`{"x":`, 2000)),
		"iss twice":                     also(`"iss":"` + issuerURL + `"`),
		"iss twice, the first another":  is(with(`{"iss":"https://x.example"}`, good[1:len(good)-1])),
		"iss twice, escaped":            also(`"\u0069ss":"` + issuerURL + `"`),
		"aud twice":                     also(`"aud":"x"`),
		"exp twice":                     also(`"exp":1`),
		"scope twice":                   also(`"scope":"orders:delete"`),
		"cnf twice":                     also(`"cnf":null,"cnf":{}`),
		"unknown claim twice":           also(`"x":1,"x":1`),
		"empty name twice":              also(`"":1,"":1`),
		"nested name twice":             also(`"act":{"sub":"a","\u0073ub":"b"}`),
		"name in an array twice":        also(`"x":[0,{"y":1,"y":1}]`),
		"name in cnf twice":             also(`"cnf":{"jkt":"a","jkt":"b"}`),
		"name twice behind 40 others":   also(numbered(40) + `,"scope":"orders:delete"`),
		"40th name twice":               also(numbered(40) + `,"x39":0`),
	})
	for name, variants := range map[string][]string{
		"iss":       {"ISS", "Iss", "i\u017fs", `i\u017fs`, "i\u017f\u017f", `\u0049ss`},
		"sub":       {"SUB", "\u017fub", `\u017fub`},
		"aud":       {"AUD", "Aud", `A\u0075d`},
		"exp":       {"EXP", "Exp", "eXp"},
		"nbf":       {"NBF"},
		"iat":       {"Iat"},
		"jti":       {"JTI"},
		"scope":     {"SCOPE", "\u017fcope"},
		"scp":       {"SCP", "\u017fcp"},
		"client_id": {"Client_ID"},
		"azp":       {"AZP"},
		"cnf":       {"CNF", "Cnf", `\u0043nf`},
	} {
		for _, variant := range variants {
			list = append(list,
				attack{
					name: fmt.Sprintf("%s beside %s", variant, name), reason: claims.ReasonMalformed,
					token: also(`"` + variant + `":1`),
				},
				attack{
					name: fmt.Sprintf("%s instead of %s", variant, name), reason: claims.ReasonMalformed,
					token: is(with(body(m{name: claimstest.Omit}), `"`+variant+`":"x"`)),
				})
		}
	}
	return list
}

// numbered is n members without the braces.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":0`, i)
	}
	return b.String()[1:]
}

func claimAttacks() []attack {
	has := func(name, value string) string {
		return forged(head(nil), with(body(m{name: claimstest.Omit}), `"`+name+`":`+value))
	}
	lacks := func(name string) string {
		return forged(head(nil), body(m{name: claimstest.Omit}))
	}
	list := slices.Concat(
		each(claims.ReasonClaims, 0, 0, map[string]string{
			"exp missing": lacks("exp"),
		}),
		each(claims.ReasonIssuer, 0, 0, map[string]string{
			"iss missing":  lacks("iss"),
			"empty object": forged(head(nil), "{}"),
		}),
		each(claims.ReasonAudience, 0, 0, map[string]string{
			"aud missing": lacks("aud"),
		}),
	)
	for _, row := range []struct {
		name   string
		reason claims.Reason
		values []string
	}{
		{"exp", claims.ReasonMalformed, []string{
			`null`, `"4102444800"`, `"2100-01-01T00:00:00Z"`, `-1`, `-4102444800`, `1e300`, `1e400`,
			`9223372036854775808`, `9223372036854775807`, `18446744073709551616`, `-9223372036854775809`,
			`253402300800`, `[4102444800]`, `true`, `{}`, `0x7fffffff`, `04102444800`, `+4102444800`,
			`4102444800.`, `Infinity`, `4_102_444_800`, `""`,
		}},
		{"exp", claims.ReasonExpired, []string{
			`0`, `1`, `1000000000`, `1000000000.9`, `1e9`, `-0`, `0.0`, `4102444800e-3`, `1e-400`,
		}},
		{"nbf", claims.ReasonNotYetValid, []string{`4102444000`, `4102444000.5`, `4.1e9`}},
		{"iat", claims.ReasonNotYetValid, []string{`4102444000`, `4102444000.5`, `4.1e9`}},
		{"nbf", claims.ReasonMalformed, []string{`null`, `"1"`, `-1`, `1e300`, `[1]`, `false`}},
		{"iat", claims.ReasonMalformed, []string{`null`, `"1"`, `-1`, `1e300`, `[1]`, `false`}},
		{"aud", claims.ReasonAudience, []string{
			`[]`, `""`, `[""]`, `"https://api.exampl"`, `"https://api.example/"`,
			`"https://api.example.evil"`,
			`"https://API.example"`, `"http://api.example"`, `"api.example"`, `"https://api"`, `"*"`,
			`" https://api.example"`, `"https://api.example "`, `"https://api.example\u0000"`,
			`"https://other.example https://api.example"`, `"https://other.example,https://api.example"`,
			`["https://api.exampl","e"]`, `["https://","api.example"]`, `"https:\/\/api.exampl\u0435"`,
		}},
		{"aud", claims.ReasonMalformed, []string{
			`null`, `1`, `true`, `{}`, `{"https://api.example":1}`, `["https://api.example",1]`,
			`["https://api.example",null]`, `[["https://api.example"]]`, `["https://api.example",]`,
		}},
		{"iss", claims.ReasonIssuer, []string{
			`""`, `"https://issuer.example/"`, `"https://issuer.exampl"`, `"https://issuer.example.evil"`,
			`"HTTPS://issuer.example"`, `"https://Issuer.Example"`, `"https://ISSUER.EXAMPLE"`,
			`"http://issuer.example"`, `"issuer.example"`, `"https://issuer.example:443"`,
			`"https://issuer.example#"`, `"https://issuer.example?"`, `" https://issuer.example"`,
			`"https://issuer.example\u0000"`, `"https://issuer.example/../"`,
			`"https://\u0456ssuer.example"`,
			`"https://x@issuer.example"`, `"https://issuer%2Eexample"`, `"127.0.0.1"`,
		}},
		{"iss", claims.ReasonMalformed, []string{
			`null`, `1`, `true`, `["https://issuer.example"]`, `{"iss":"https://issuer.example"}`,
		}},
		{"sub", claims.ReasonMalformed, []string{`null`, `1`, `["alice"]`, `{}`, `true`}},
		{"jti", claims.ReasonMalformed, []string{`null`, `1`}},
		{"client_id", claims.ReasonMalformed, []string{`null`, `1`, `["shop"]`}},
		{"azp", claims.ReasonMalformed, []string{`null`, `1`}},
		{"scope", claims.ReasonMalformed, []string{`null`, `1`, `{}`, `true`, `[1]`, `[null]`, `[[""]]`}},
		{"scp", claims.ReasonMalformed, []string{`null`, `1`, `{}`, `["x",{}]`}},
	} {
		for _, value := range row.values {
			list = append(list, attack{
				name: row.name + " " + value, reason: row.reason,
				token: has(row.name, value),
			})
		}
	}
	for _, value := range []string{
		`{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}`,
		`{"x5t#S256":"A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"}`,
		`{"jwk":{}}`, `{"kid":"x"}`, `{"osc":{}}`, `{}`, `"x"`, `null`, `[]`, `false`, `0`,
	} {
		list = append(list, attack{
			name: "cnf " + value, reason: claims.ReasonBinding, cold: 1,
			token: has("cnf", value),
		})
	}
	return append(list, attack{
		name: "cnf in a forged token", reason: claims.ReasonSignature, cold: 1,
		token: forgedBy("attacker", "ES256", head(nil), body(m{"cnf": m{}})),
	})
}

func keyAttacks() []attack {
	good := strings.Split(forged(head(nil), body(nil)), ".")
	// RFC 7518 section 3.5: the salt is as long as the hash.
	salted := func(length int) string {
		header := head(m{"alg": "PS256", "kid": "ps256"})
		input := b64([]byte(header)) + "." + b64([]byte(body(nil)))
		digest := sha256.Sum256([]byte(input))
		key := forger()["ps256"].private.(*rsa.PrivateKey)
		signature, err := rsa.SignPSS(
			rand.Reader, key, crypto.SHA256, digest[:], &rsa.PSSOptions{SaltLength: length})
		must(err)
		return input + "." + b64(signature)
	}
	headless, other := b64([]byte(head(m{"kid": claimstest.Omit}))), b64([]byte(body(m{"sub": "b"})))
	by := func(id, alg string, change m) string {
		return forgedBy(id, alg, head(merged(m{"alg": alg}, change)), body(nil))
	}
	list := slices.Concat(
		each(claims.ReasonSignature, 1, 0, map[string]string{
			"foreign key under a known kid":  by("attacker", "ES256", nil),
			"foreign key without kid":        by("attacker", "ES256", m{"kid": claimstest.Omit}),
			"foreign key under an empty kid": by("attacker", "ES256", m{"kid": ""}),
			"foreign RSA key, RS256":         by("attacker-rsa", "RS256", m{"kid": "rs256"}),
			"foreign RSA key, PS256":         by("attacker-rsa", "PS256", m{"kid": "ps256"}),
			"foreign Ed25519 key":            by("attacker-ed25519", "EdDSA", m{"kid": "ed25519"}),
			"signature on another payload":   good[0] + "." + other + "." + good[2],
			"signature on another header":    headless + "." + good[1] + "." + good[2],
			"PS256 with a short salt":        salted(20),
			"PS256 with a long salt":         salted(64),
			"PS256 with the longest salt":    salted(rsa.PSSSaltLengthAuto),
			"payload with more white space":  good[0] + "." + b64([]byte(body(nil)+" ")) + "." + good[2],
		}),
		each("", 1, 0, map[string]string{"PS256 with a salt of 32 bytes": salted(32)}),
		// Nothing is known at first, so one request finds the keys and one may
		// find newer ones.
		each(claims.ReasonUnknownKey, 2, 1, map[string]string{
			"unknown kid":            by("attacker", "ES256", m{"kid": "x"}),
			"unknown kid, known key": by("p256", "ES256", m{"kid": "x"}),
			"kid in another case":    by("p256", "ES256", m{"kid": "P256"}),
			"kid with a space":       by("p256", "ES256", m{"kid": "p256 "}),
			"kid a path":             by("p256", "ES256", m{"kid": "../../dev/null"}),
			"kid SQL":                by("p256", "ES256", m{"kid": "' OR 1=1--"}),
			"kid a URL":              by("p256", "ES256", m{"kid": "https://evil.example/jwks"}),
		}),
	)
	return append(append(list, embeddedKeyAttacks("https://evil.example/keys")...), es256Attacks()...)
}

// embeddedKeyAttacks are signed by a key that the token brings along.
func embeddedKeyAttacks(url string) []attack {
	key := forger()["attacker"]
	public := merged(key.jwk, m{"kid": claimstest.Omit})
	certificate, err := x509.MarshalPKIXPublicKey(key.private.Public())
	must(err)
	var list []attack
	for name, members := range map[string]m{
		"jwk": {"jwk": public},
		"jku": {"jku": url},
		"x5u": {"x5u": url},
		"x5c": {"x5c": []string{base64.StdEncoding.EncodeToString(certificate)}},
		"all": {"jwk": public, "jku": url, "x5u": url, "x5c": []string{"MAA="}, "x5t#S256": "AA"},
	} {
		for _, row := range []struct {
			kid        any
			reason     claims.Reason
			cold, warm int
		}{
			{"p256", claims.ReasonSignature, 1, 0},
			{claimstest.Omit, claims.ReasonSignature, 1, 0},
			{"attacker", claims.ReasonUnknownKey, 2, 1},
		} {
			header := head(merged(members, m{"kid": row.kid}))
			list = append(list, attack{
				name:   fmt.Sprintf("%s, kid %v", name, row.kid),
				reason: row.reason, cold: row.cold, warm: row.warm,
				token: forgedBy("attacker", "ES256", header, body(nil)),
			})
		}
	}
	return list
}

func es256Attacks() []attack {
	n := elliptic.P256().Params().N
	zero, one := new(big.Int), big.NewInt(1)
	put := func(r, s *big.Int) string {
		return resigned(func(b []byte) []byte {
			if r == nil {
				r = new(big.Int).SetBytes(b[:32])
			}
			if s == nil {
				s = new(big.Int).SetBytes(b[32:])
			}
			return p1363(r, s, 32)
		})
	}
	return each(claims.ReasonSignature, 1, 0, map[string]string{
		"ES256 signature r zero":           put(zero, nil),
		"ES256 signature s zero":           put(nil, zero),
		"ES256 signature r and s zero":     put(zero, zero),
		"ES256 signature r and s one":      put(one, one),
		"ES256 signature r = n":            put(n, nil),
		"ES256 signature s = n":            put(nil, n),
		"ES256 signature r and s = n":      put(n, n),
		"ES256 signature r = n+1, s = 1":   put(new(big.Int).Add(n, one), one),
		"ES256 signature r = n-1, s = n-1": put(new(big.Int).Sub(n, one), new(big.Int).Sub(n, one)),
		"ES256 signature all bits": resigned(func([]byte) []byte {
			return bytes.Repeat([]byte{0xff}, 64)
		}),
		"ES256 signature r and s swapped": resigned(func(b []byte) []byte {
			return slices.Concat(b[32:], b[:32])
		}),
		"ES256 signature DER": resigned(func(b []byte) []byte {
			der, err := asn1.Marshal(struct{ R, S *big.Int }{
				new(big.Int).SetBytes(b[:32]), new(big.Int).SetBytes(b[32:]),
			})
			must(err)
			return der
		}),
		"ES256 signature cut by a byte":    resigned(func(b []byte) []byte { return b[:63] }),
		"ES256 signature cut at the front": resigned(func(b []byte) []byte { return b[1:] }),
		"ES256 signature cut to r":         resigned(func(b []byte) []byte { return b[:32] }),
		"ES256 signature a byte":           resigned(func(b []byte) []byte { return b[:1] }),
		"ES256 signature longer by a zero": resigned(func(b []byte) []byte { return append(b, 0) }),
		"ES256 signature longer at the front": resigned(func(b []byte) []byte {
			return append([]byte{0}, b...)
		}),
		"ES256 signature longer in the middle": resigned(func(b []byte) []byte {
			return slices.Concat(b[:32], []byte{0}, b[32:])
		}),
		"ES256 signature longer in each half": resigned(func(b []byte) []byte {
			return slices.Concat([]byte{0}, b[:32], []byte{0}, b[32:])
		}),
		"ES256 signature twice":    resigned(func(b []byte) []byte { return append(b, b...) }),
		"ES256 signature 4 KiB":    resigned(func([]byte) []byte { return make([]byte, 4<<10) }),
		"ES256 signature inverted": resigned(func(b []byte) []byte { b[0] ^= 0xff; return b }),
	})
}

func attacks() []attack {
	return slices.Concat(controls(), algorithmAttacks(), formAttacks(), headerAttacks(),
		payloadAttacks(), claimAttacks(), keyAttacks())
}

func TestVerifier_attacks(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, tt := range attacks() {
		require.False(t, names[tt.name], "two attacks are called %q", tt.name)
		names[tt.name] = true
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuer := newForgerIssuer(t)
			check := func(verifier *claims.Verifier) {
				t.Helper()
				caller, err := verifier.Authenticate(t.Context(), bearer(tt.token))
				if tt.reason != "" {
					assertRefused(t, caller, err, tt.reason)
					return
				}
				require.NoError(t, err)
				assert.Equal(t, issuerURL, caller.Issuer())
			}
			check(newVerifier(t, issuer, nil))
			assert.Equal(t, tt.cold, issuer.KeySetRequests(), "requests for the key set, cold")
			assert.Equal(t, tt.cold, issuer.Requests(wellKnown), "for metadata, cold")

			verifier := newVerifier(t, issuer, nil)
			_, err := verifier.Authenticate(t.Context(), bearer(forged(head(nil), body(nil))))
			require.NoError(t, err)
			before, metadata := issuer.KeySetRequests(), issuer.Requests(wellKnown)
			check(verifier)
			warm := tt.warm
			if tt.cold > 0 && (tt.reason == claims.ReasonSignature || tt.reason == claims.ReasonAlgorithm) {
				warm = 1 // the key that was found may have been replaced
			}
			assert.Equal(t, warm, issuer.KeySetRequests()-before, "requests for the key set, warm")
			assert.Equal(t, warm, issuer.Requests(wellKnown)-metadata, "for metadata, warm")
		})
	}
}

// The issuers of a set are verified as one issuer is.
func TestIssuers_attacks(t *testing.T) {
	t.Parallel()
	keys, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	issuers, err := claims.NewIssuers(
		claims.Config{Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: keys},
		claims.Config{Issuer: "https://x.example", Audiences: []string{claimstest.Audience}, Keys: keys},
	)
	require.NoError(t, err)
	for _, tt := range attacks() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			caller, err := issuers.Authenticate(t.Context(), bearer(tt.token))
			if tt.reason == "" {
				assert.NoError(t, err)
				return
			}
			assertRefused(t, caller, err, tt.reason)
		})
	}
}

// A key of a token's own choice is never fetched, from wherever it might be
// had.
func TestVerifier_neverFetchesWhatATokenNames(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = w.Write(encodeJSON(m{"keys": []m{forger()["attacker"].jwk}}))
	}))
	t.Cleanup(evil.Close)
	issuer := claimstest.Start(t, claimstest.Config{})
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
	})
	require.NoError(t, err)
	_, err = verifier.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
	require.NoError(t, err)
	payload := body(m{"iss": issuer.URL()})
	for _, kid := range []any{issuer.Key().ID, "attacker", evil.URL, claimstest.Omit} {
		for _, members := range []m{
			{"jku": evil.URL}, {"x5u": evil.URL}, {"iss": evil.URL}, {"jwks_uri": evil.URL},
			{"jwk": m{"kid": evil.URL, "x5u": evil.URL}, "x5c": []string{evil.URL}},
		} {
			header := head(merged(members, m{"kid": kid}))
			caller, err := verifier.Authenticate(
				t.Context(), bearer(forgedBy("attacker", "ES256", header, payload)))
			assert.Nil(t, caller)
			assert.ErrorIs(t, err, claims.ErrInvalidToken)
		}
	}
	payload = body(m{"iss": evil.URL, "jwks_uri": evil.URL})
	caller, err := verifier.Authenticate(
		t.Context(), bearer(forgedBy("attacker", "ES256", head(nil), payload)))
	assertRefused(t, caller, err, claims.ReasonIssuer)
	assert.Zero(t, requests.Load())

	// The server is there to be asked.
	keys, err := jwks.NewCache(jwks.Config{URL: evil.URL})
	require.NoError(t, err)
	require.NoError(t, keys.Ready(t.Context()))
	assert.EqualValues(t, 1, requests.Load())
}

// Invented key IDs cost one request in 30 seconds, however many they are, and
// do not keep anybody else out.
func TestVerifier_unknownKeyIDs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		issuer := newForgerIssuer(t)
		verifier := newVerifier(t, issuer, nil)
		good := bearer(forged(head(nil), body(nil)))
		_, err := verifier.Authenticate(t.Context(), good)
		require.NoError(t, err)
		flood := func() {
			for i := range 50 {
				token := forged(head(m{"kid": fmt.Sprintf("x%d", i)}), body(nil))
				caller, err := verifier.Authenticate(t.Context(), bearer(token))
				assertRefused(t, caller, err, claims.ReasonUnknownKey)
			}
			_, err := verifier.Authenticate(t.Context(), good)
			assert.NoError(t, err)
		}
		for round := range 4 {
			flood()
			assert.Equal(t, 2+round, issuer.KeySetRequests())
			time.Sleep(29 * time.Second)
			flood()
			assert.Equal(t, 2+round, issuer.KeySetRequests())
			time.Sleep(time.Second)
		}
	})
}

// While no key is known to be right nothing is accepted, and only what the
// token could not choose is called unavailable.
func TestVerifier_issuerDown(t *testing.T) {
	t.Parallel()
	for _, tt := range attacks() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuer := newForgerIssuer(t)
			issuer.Fail(http.StatusInternalServerError)
			verifier := newVerifier(t, issuer, nil)
			caller, err := verifier.Authenticate(t.Context(), bearer(tt.token))
			if tt.cold == 0 {
				assertRefused(t, caller, err, tt.reason)
				return
			}
			assert.Nil(t, caller)
			assert.ErrorIs(t, err, claims.ErrUnavailable)
			var refusal *claims.Error
			require.ErrorAs(t, err, &refusal)
			assert.Equal(t, claims.ReasonKeysUnavailable, refusal.Reason())
			assert.GreaterOrEqual(t, refusal.RetryAfter(), time.Second)
		})
	}
}

// jwx is the oracle: a signature is good for both or for neither.
func TestVerifier_signaturesAgainstJWX(t *testing.T) {
	t.Parallel()
	set, err := jwks.Parse(issuerKeySet())
	require.NoError(t, err)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: issuerURL, Audiences: []string{claimstest.Audience}, Keys: set,
	})
	require.NoError(t, err)
	for _, id := range issuerKeys {
		for _, alg := range forger()[id].algorithms {
			t.Run(id+" "+alg, func(t *testing.T) {
				t.Parallel()
				token := forgedBy(id, alg, head(m{"alg": alg, "kid": id}), body(nil))
				dot := strings.LastIndexByte(token, '.')
				input, good := token[:dot], unb64(token[dot+1:])
				known := alg
				if alg == "Ed25519" { // RFC 9864, younger than jwx v2
					known = "EdDSA"
				}
				oracle, err := jws.NewVerifier(jwa.SignatureAlgorithm(known))
				require.NoError(t, err)
				accepted := 0
				for name, signature := range variants(good) {
					caller, err := verifier.Authenticate(t.Context(), bearer(input+"."+b64(signature)))
					theirs := oracle.Verify([]byte(input), signature, forger()[id].private.Public())
					assert.Equal(t, theirs == nil, err == nil, "%s: jwx says %v, we say %v", name, theirs, err)
					if err == nil {
						accepted++
						continue
					}
					reason := claims.ReasonSignature
					if len(signature) == 0 {
						reason = claims.ReasonMalformed
					}
					assertRefused(t, caller, err, reason)
				}
				assert.Equal(t, 1, accepted)
			})
		}
	}
}

// variants are a signature and many that are nearly it.
func variants(good []byte) map[string][]byte {
	list := map[string][]byte{
		"good":      good,
		"zeros":     make([]byte, len(good)),
		"one":       append(make([]byte, len(good)-1), 1),
		"all bits":  bytes.Repeat([]byte{0xff}, len(good)),
		"reversed":  slices.Clone(good),
		"halves":    slices.Concat(good[len(good)/2:], good[:len(good)/2]),
		"twice":     slices.Concat(good, good),
		"zero at 0": append([]byte{0}, good...),
	}
	slices.Reverse(list["reversed"])
	for i := range good {
		flipped := slices.Clone(good)
		flipped[i] ^= 1 << (i % 8)
		list[fmt.Sprintf("bit of byte %d", i)] = flipped
	}
	for _, n := range []int{0, 1, 32, 63, 64, 65, len(good) - 1, len(good) + 1, len(good) + 2} {
		if n == len(good) {
			continue
		}
		resized := make([]byte, n)
		copy(resized, good)
		list[fmt.Sprintf("of %d bytes", n)] = resized
	}
	return list
}
