package introspection

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/jwks"
)

const (
	// fresh is how long ago an answer may have been signed, and how far the
	// clocks may be apart: it is made for the request.
	fresh   = 2 * time.Minute
	maxKeys = 32
)

// signature is what a signed answer is checked with (RFC 9701 section 5).
type signature struct {
	keys     claims.KeySource
	issuer   string
	audience string // the ID of this API's client
}

// open returns the answer in a signed one: no answer can be taken for one, and
// one that was made for another, or long ago, says nothing.
func (s *signature) open(ctx context.Context, text []byte) ([]byte, error) {
	segments := bytes.Split(bytes.TrimSpace(text), []byte("."))
	if len(segments) != 3 {
		return nil, errors.New("not a JWT")
	}
	var decoded [3][]byte
	for i, segment := range segments {
		var ok bool
		if decoded[i], ok = strict.Decode(nil, segment); !ok {
			return nil, errors.New("not base64url")
		}
	}
	algorithm, keyID, err := readHeader(string(decoded[0]))
	if err != nil {
		return nil, err
	}
	keys, err := s.lookUp(ctx, keyID, algorithm)
	if err != nil {
		return nil, err
	}
	input := text[bytes.Index(text, segments[0]):]
	input = input[:len(segments[0])+1+len(segments[1])]
	if !slices.ContainsFunc(keys[:min(len(keys), maxKeys)], func(key *jwks.Key) bool {
		return key != nil && key.Fits(algorithm) &&
			(key.Issuer() == "" || key.Issuer() == s.issuer) &&
			jws.Asymmetric.Verify(algorithm, key.Public(), input, decoded[2])
	}) {
		return nil, errors.New("no key verifies it")
	}
	return s.answerIn(string(decoded[1]))
}

// readHeader returns what a header says, if it is that of a signed answer.
func readHeader(text string) (algorithm, keyID string, err error) {
	var seen strict.Members
	kind := ""
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		switch name := r.ReadName(&seen); name {
		case "alg":
			algorithm = r.ReadString()
		case "kid":
			keyID = r.ReadString()
		case "typ":
			kind = r.ReadString()
		case "crit", "b64", "enc":
			return "", "", fmt.Errorf("the header has %q", name)
		default:
			r.Skip()
		}
	}
	if !r.End() {
		return "", "", errors.New("the header is not what it should be")
	}
	kind, _ = strings.CutPrefix(strings.ToLower(kind), "application/")
	if kind != "token-introspection+jwt" {
		return "", "", errors.New("typ is not token-introspection+jwt")
	}
	if _, ok := jws.Asymmetric[algorithm]; !ok {
		return "", "", errors.New("the algorithm is not accepted")
	}
	return algorithm, keyID, nil
}

func (s *signature) lookUp(
	ctx context.Context, keyID, algorithm string,
) (keys []*jwks.Key, err error) {
	defer foreign.Recover(foreign.Name("introspection: Config.SignedBy"), &err)
	return s.keys.Lookup(ctx, keyID, algorithm)
}

// answerIn returns the answer in the claims of a signed one.
func (s *signature) answerIn(text string) ([]byte, error) {
	var seen strict.Members
	var issuer, answer string
	var audience []string
	var issued time.Time
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		switch name := r.ReadName(&seen); name {
		case "iss":
			issuer = r.ReadString()
		case "aud":
			audience = r.ReadStrings()
		case "iat":
			issued = r.ReadDate()
		case "token_introspection":
			answer = r.ReadRaw()
		default:
			r.Skip()
		}
	}
	age := time.Since(issued)
	switch {
	case !r.End():
		return nil, errors.New("the claims are not what they should be")
	case issuer != s.issuer:
		return nil, errors.New("iss is another issuer")
	case !slices.Contains(audience, s.audience):
		return nil, errors.New("aud is another client")
	case issued.IsZero() || age > fresh || age < -fresh:
		return nil, errors.New("iat is not about now")
	case answer == "":
		return nil, errors.New("there is no token_introspection")
	}
	return []byte(answer), nil
}
