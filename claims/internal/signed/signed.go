// Package signed verifies JWTs that an issuer signs for another end than to
// open an API: logout tokens, security event tokens, lists of statuses. It is
// no way to accept an access token, which is for package claims to do: of what
// a token says it knows nothing but how to read it.
package signed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/jwks"
)

// What an error matches.
var (
	// ErrMalformed is a text that is no signed JWT, or can be read in two ways.
	ErrMalformed = errors.New("not a signed JWT")
	// ErrAlgorithm is an algorithm that is not taken: "none", a symmetric one,
	// or one that the key does not fit.
	ErrAlgorithm = errors.New("signature algorithm not accepted")
	// ErrKey is a signature that no key of the issuer verifies.
	ErrKey = errors.New("no key of the issuer verifies it")
)

// maxTrials bounds how many keys one signature is tried with.
const maxTrials = 8

// Keys are the public keys of one issuer, as claims.KeySource has them.
type Keys interface {
	Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error)
}

// Token is a JWT that was read. Nothing in it is to be believed until
// [Token.Verify] has returned nil. It is for one goroutine.
type Token struct {
	// Type is the header's "typ", Algorithm its "alg", KeyID its "kid".
	Type, Algorithm, KeyID string

	Claims    Object
	input     []byte
	signature []byte
}

// names are the parameters that are acted on: one that differs in case alone is
// refused, as other parsers take it for the same.
var names = strict.NewNames("alg", "kid", "typ", "crit", "b64", "enc")

// Parse reads a JWS in compact serialization (RFC 7515 section 7.1) whose
// payload is a JSON object. The error matches [ErrMalformed] and quotes nothing
// of it but names.
func Parse(text string) (*Token, error) {
	head, rest, _ := strings.Cut(text, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") {
		return nil, malformed("it has not three segments")
	}
	t := &Token{input: []byte(text[:len(head)+1+len(payload)])}
	decoded, ok := strict.Decode(nil, []byte(head))
	if !ok {
		return nil, malformed("the header is not base64url")
	}
	if err := t.readHeader(string(decoded)); err != nil {
		return nil, err
	}
	if decoded, ok = strict.Decode(nil, []byte(payload)); !ok {
		return nil, malformed("the payload is not base64url")
	}
	claims, err := ParseObject(string(decoded))
	if err != nil {
		return nil, fmt.Errorf("payload: %w", err)
	}
	t.Claims = claims
	// An empty one is what "none" has: it verifies nothing, by whatever key.
	if t.signature, ok = strict.Decode(nil, []byte(signature)); !ok && signature != "" {
		return nil, malformed("the signature is not base64url")
	}
	return t, nil
}

func (t *Token) readHeader(text string) error {
	header, err := ParseObject(text)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if of := header.Resembled(names); of != "" {
		return malformed("a header parameter differs from %q in case alone", of)
	}
	// No extension is understood (RFC 7515 section 4.1.11), and nothing that is
	// encrypted.
	for _, name := range []string{"crit", "b64", "enc"} {
		if header.Has(name) {
			return malformed("header parameter %q is not understood", name)
		}
	}
	for name, value := range map[string]*string{
		"typ": &t.Type, "alg": &t.Algorithm, "kid": &t.KeyID,
	} {
		if *value, err = header.String(name); err != nil {
			return fmt.Errorf("header: %w", err)
		}
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}

// IsType reports whether the header says that the token is of this type, with
// or without "application/" and in whatever case (RFC 7515 section 4.1.9).
func (t *Token) IsType(want string) bool {
	const application = "application/"
	typ := t.Type
	if len(typ) > len(application) && strings.EqualFold(typ[:len(application)], application) {
		typ = typ[len(application):]
	}
	return strings.EqualFold(typ, want)
}

// Verify checks the signature by the keys of an issuer, which the caller has
// compared with the token's. algorithms are those accepted, empty for all that
// are asymmetric. The error matches [ErrAlgorithm], [ErrKey] or
// [jwks.ErrUnavailable]; of a Keys of the user's own it is what that returns,
// and a panic is the caller's to recover.
func (t *Token) Verify(ctx context.Context, issuer string, keys Keys, algorithms []string) error {
	_, known := jws.Asymmetric[t.Algorithm]
	if !known || len(algorithms) > 0 && !slices.Contains(algorithms, t.Algorithm) {
		return fmt.Errorf("%w: %.64q", ErrAlgorithm, t.Algorithm)
	}
	asked := time.Now()
	found, err := keys.Lookup(ctx, t.KeyID, t.Algorithm)
	switch {
	case errors.Is(err, jwks.ErrUnavailable):
		return err
	case errors.Is(err, jwks.ErrKeyMismatch):
		return fmt.Errorf("%w: %w", ErrAlgorithm, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	if t.try(issuer, found) {
		return nil
	}
	// A key without an ID may have been replaced: not by what embeds a Cache,
	// whose Lookup may leave keys out.
	if cache, ok := keys.(*jwks.Cache); ok {
		more, err := cache.LookupAgain(ctx, asked, t.KeyID, t.Algorithm, found)
		if err == nil && t.try(issuer, more) {
			return nil
		}
	}
	return ErrKey
}

func (t *Token) try(issuer string, keys []*jwks.Key) bool {
	for _, key := range keys[:min(len(keys), maxTrials)] {
		if key != nil && key.Fits(t.Algorithm) && mayUse(key, issuer) &&
			jws.Asymmetric.Verify(t.Algorithm, key.Public(), t.input, t.signature) {
			return true
		}
	}
	return false
}

// mayUse reports whether a key may sign for an issuer: one that names another
// may not, unless it leaves a segment of the name open, as those that all
// tenants of Microsoft Entra share.
func mayUse(key *jwks.Key, issuer string) bool {
	of := key.Issuer()
	if of == "" || of == issuer {
		return true
	}
	before, rest, open := strings.Cut(of, "{")
	_, after, closed := strings.Cut(rest, "}")
	if !open || !closed || len(issuer) <= len(before)+len(after) ||
		!strings.HasPrefix(issuer, before) || !strings.HasSuffix(issuer, after) {
		return false
	}
	return !strings.Contains(issuer[len(before):len(issuer)-len(after)], "/")
}

// Accepts reports whether there is an asymmetric algorithm of this name.
func Accepts(algorithm string) bool { return jws.Asymmetric[algorithm] != nil }

// Names returns names that no other member may resemble, for
// [Object.Resembled].
func Names(names ...string) *strict.Names { return strict.NewNames(names...) }
