package claims_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/lestrrat-go/jwx/v2/jws"
)

// sighting is a token as a reader sees it that forgives what jwx forgives. It
// shares no code with the package under test.
type sighting struct {
	text      string
	segments  []string // three, or nil
	header    document
	payload   document
	signature []byte
}

func sight(token string) sighting {
	s := sighting{text: token}
	segments := strings.Split(strings.TrimSpace(token), ".")
	if len(segments) != 3 {
		return s
	}
	s.segments = segments
	header, _ := lax(segments[0])
	payload, _ := lax(segments[1])
	s.signature, _ = lax(segments[2])
	s.header, s.payload = read(header), read(payload)
	return s
}

var toCanonical = strings.NewReplacer("+", "-", "/", "_", "\r", "", "\n", "", "=", "")

// lax decodes base64 of either alphabet, padded or not, across line breaks.
func lax(segment string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.DecodeString(toCanonical.Replace(segment))
	return b, err == nil
}

func canonical(segment string) bool {
	b, ok := lax(segment)
	return ok && base64.RawURLEncoding.EncodeToString(b) == segment
}

// document is a JSON text as encoding/json reads it.
type document struct {
	text      []byte
	value     []byte                     // the first value, without what is around it
	rest      []byte                     // what follows it
	members   map[string]json.RawMessage // nil unless it is an object
	depth     int
	count     int // of members, at any depth
	duplicate bool
}

func read(text []byte) document {
	d := document{text: text}
	decoder := json.NewDecoder(bytes.NewReader(text))
	var value json.RawMessage
	if decoder.Decode(&value) != nil {
		return d
	}
	d.value, d.rest = value, text[decoder.InputOffset():]
	if value[0] == '{' {
		must(json.Unmarshal(value, &d.members))
	}
	d.depth, d.count, d.duplicate = walked(value)
	return d
}

// walked returns how deep a value is, how many members it has, and whether an
// object in it has a name twice.
func walked(value []byte) (depth, count int, duplicate bool) {
	type level struct {
		names map[string]bool // nil in an array
		name  bool            // a name is next
	}
	var levels []level
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return depth, count, duplicate
		}
		must(err)
		top := len(levels) - 1
		switch delim, _ := token.(json.Delim); delim {
		case '{', '[':
			next := level{}
			if delim == '{' {
				next = level{map[string]bool{}, true}
			}
			if top >= 0 {
				levels[top].name = levels[top].names != nil
			}
			levels = append(levels, next)
			depth = max(depth, len(levels))
		case '}', ']':
			levels = levels[:top]
		default:
			if top < 0 || levels[top].names == nil {
				continue
			}
			if levels[top].name {
				name := token.(string)
				count++
				duplicate = duplicate || levels[top].names[name]
				levels[top].names[name] = true
			}
			levels[top].name = !levels[top].name
		}
	}
}

// surrounded reports whether white space is around the value.
func (d document) surrounded() bool { return len(d.value) > 0 && len(d.value) < len(d.text) }

// string returns a member, "" if it is missing or no string.
func (d document) string(name string) string {
	var s *string
	if json.Unmarshal(d.members[name], &s) != nil || s == nil {
		return ""
	}
	return *s
}

func (d document) has(name string) bool { return d.members[name] != nil }

// anyOf reports whether one of the members is there and is as wanted.
func (d document) anyOf(names []string, wanted func(json.RawMessage) bool) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return d.has(name) && wanted(bytes.TrimSpace(d.members[name]))
	})
}

var (
	headerStrings  = []string{"alg", "kid", "typ", "cty"}
	payloadStrings = []string{"iss", "sub", "jti", "client_id", "azp"}
	payloadLists   = []string{"aud", "scope", "scp"}
	payloadDates   = []string{"exp", "nbf", "iat"}
)

func isString(value json.RawMessage) bool { return value[0] == '"' }

func notString(value json.RawMessage) bool { return !isString(value) }

func notStrings(value json.RawMessage) bool {
	var list []*string
	return !isString(value) &&
		(json.Unmarshal(value, &list) != nil || list == nil || slices.Contains(list, nil))
}

func notNumber(value json.RawMessage) bool { return !jsonNumber.Match(value) }

func outOfRange(value json.RawMessage) bool {
	_, ok := exactDate(string(value))
	return jsonNumber.Match(value) && !ok
}

func longNumber(value json.RawMessage) bool {
	return jsonNumber.Match(value) && len(value) > maxNumber
}

// anyCase has the names that this package acts on, which encoding/json matches
// in any case.
type anyCase struct {
	Alg, Kid, Typ, Cty, Crit, B64                           *json.RawMessage
	Iss, Sub, Aud, Exp, Nbf, Iat, Jti, Scope, Scp, Azp, Cnf *json.RawMessage
	ClientID                                                *json.RawMessage `json:"client_id"`
}

var (
	headerFields  = []string{"alg", "kid", "typ", "cty", "crit", "b64"}
	payloadFields = slices.Concat(payloadStrings, payloadLists, payloadDates, []string{"cnf"})
)

// variant reports whether a member's name differs from one of names in case
// alone.
func (d document) variant(names []string) bool {
	for name := range d.members {
		var read anyCase
		must(json.Unmarshal(encodeJSON(m{name: 1}), &read))
		for i, v := 0, reflect.ValueOf(read); i < v.NumField(); i++ {
			field := strings.ToLower(v.Type().Field(i).Name)
			if field == "clientid" {
				field = "client_id"
			}
			if !v.Field(i).IsNil() && name != field && slices.Contains(names, field) {
				return true
			}
		}
	}
	return false
}

var escapes = regexp.MustCompile(`(?s)\\(?:u[0-9a-fA-F]{4}|.)`)

// loneSurrogate looks at the escapes of a value, which are nowhere but in
// strings.
func (d document) loneSurrogate() bool {
	high := -1 // where an escape must follow that is a low surrogate
	for _, at := range escapes.FindAllIndex(d.value, -1) {
		if high >= 0 && high != at[0] {
			return true
		}
		escape := string(d.value[at[0]:at[1]])
		var char uint64
		if len(escape) == 6 {
			char, _ = strconv.ParseUint(escape[2:], 16, 16)
		}
		low := utf16.IsSurrogate(rune(char)) && char >= 0xdc00
		if low != (high >= 0) {
			return true
		}
		high = -1
		if utf16.IsSurrogate(rune(char)) && !low {
			high = at[1]
		}
	}
	return high >= 0
}

// verifies reports whether a published key that "kid" and "alg" pick verifies
// the signature of the token as it was received.
func (s sighting) verifies() bool { return s.verifiesWith(rsa.PSSSaltLengthEqualsHash) }

// verifiesWith takes a PSS signature whose salt has the given length.
func (s sighting) verifiesWith(salt int) bool {
	alg, kid := s.header.string("alg"), s.header.string("kid")
	if !slices.Contains(acceptedAlgorithms, alg) || s.segments == nil {
		return false
	}
	input := []byte(s.segments[0] + "." + s.segments[1])
	return slices.ContainsFunc(issuerKeys, func(id string) bool {
		key := forger()[id]
		if kid != "" && kid != id || !slices.Contains(key.algorithms, alg) {
			return false
		}
		public := key.private.Public()
		if strings.HasPrefix(alg, "PS") { // jwx takes any salt
			hash := hashes[alg[2:]].New()
			hash.Write(input)
			return rsa.VerifyPSS(public.(*rsa.PublicKey), hashes[alg[2:]], hash.Sum(nil), s.signature,
				&rsa.PSSOptions{SaltLength: salt}) == nil
		}
		verifier, err := jws.NewVerifier(jwxAlgorithm(alg))
		must(err)
		return verifier.Verify(input, s.signature, public) == nil
	})
}

var acceptedAlgorithms = []string{
	"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
}
