package claims

import (
	"bytes"
	"crypto/sha256"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/jwks"
)

// maxTokenSize is more than any header line of common servers and clients takes
// a token to be, and little enough to parse for nothing.
const maxTokenSize = 16 << 10

// token is a JWS in compact serialization (RFC 7515 section 7.1), taken apart; its
// signature is not checked yet.
type token struct {
	header    header
	claims    *Claims
	members   strict.Members // all claims
	input     []byte         // the signing input, RFC 7515 section 5.1 step 5
	signature []byte
	keys      []*jwks.Key // those to check it with, once they are looked up
	key       *jwks.Key   // the one that did
}

// segments are those of a JWS in compact serialization, still encoded.
type segments struct{ header, payload, signature, input []byte }

// split finds the segments. It costs no allocation.
func split(text []byte) (segments, error) {
	first := bytes.IndexByte(text, '.')
	if first < 0 {
		return segments{}, errMalformed
	}
	length := bytes.IndexByte(text[first+1:], '.')
	if length < 0 {
		return segments{}, errMalformed
	}
	second := first + 1 + length
	parts := segments{text[:first], text[first+1 : second], text[second+1:], text[:second]}
	if bytes.IndexByte(parts.signature, '.') >= 0 {
		return segments{}, notJWS(text, first)
	}
	return parts, nil
}

// notJWS tells an encrypted token, five segments and "enc" in the header (RFC 7516
// section 9), from what is no token, so that whoever reads the refusal knows what
// to change.
func notJWS(text []byte, first int) error {
	if bytes.Count(text, []byte(".")) != 4 {
		return errMalformed
	}
	decoded, ok := strict.Decode(nil, text[:first])
	if !ok {
		return errMalformed
	}
	if head, ok := readHeader(string(decoded)); !ok || !head.encrypted {
		return errMalformed
	}
	return errEncrypted
}

// parseHeader reads the header and checks it. It reaches nothing outside the token.
func (w *work) parseHeader(accepted algorithmSet) error {
	decoded, ok := w.decode(w.segments.header)
	if !ok {
		return errMalformed
	}
	if w.header, ok = readHeader(string(decoded)); !ok {
		return errMalformed
	}
	return w.header.check(accepted)
}

// parsePayload reads the payload and decodes the signature. It is linear in their
// length and reaches nothing outside the token.
func (w *work) parsePayload() error {
	payload, ok := w.decode(w.segments.payload)
	if !ok {
		return errMalformed
	}
	text := string(payload)
	if w.signature, ok = w.decode(w.segments.signature); !ok {
		return errMalformed
	}
	w.input = w.segments.input
	if w.claims = parseClaims(text, &w.members); w.claims == nil {
		return errMalformed
	}
	return nil
}

// decode decodes a segment into the buffer, in the place of what was there.
func (w *work) decode(segment []byte) (decoded []byte, ok bool) {
	decoded, ok = strict.Decode(w.buffers.decoded, segment)
	// What failed may have left something there as well.
	w.buffers.decoded = decoded[:max(len(segment), len(w.buffers.decoded))]
	return decoded, ok
}

// header is what counts of a JOSE header. The parameters that name or carry a
// key, "jwk", "jku", "x5c" and "x5u" (RFC 7515 section 4.1), are not among them:
// the sender writes them.
type header struct {
	algorithm   string
	keyID       string
	tokenType   string
	contentType string
	critical    bool
	encrypted   bool
}

// headerNames are the parameters that this package acts on.
var headerNames = []string{"alg", "kid", "typ", "cty", "crit", "b64", "enc"}

func readHeader(text string) (h header, ok bool) {
	var seen strict.Members
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		switch name {
		case "alg":
			h.algorithm = r.ReadString()
		case "kid":
			h.keyID = r.ReadString()
		case "typ":
			h.tokenType = r.ReadString()
		case "cty":
			h.contentType = r.ReadString()
		case "enc":
			h.encrypted = true
			r.Skip()
		case "crit", "b64":
			// No extension is understood (RFC 7515 section 4.1.11), and an
			// unencoded payload is none that a JWT may have (RFC 7797 section 7).
			h.critical = h.critical || name == "crit" || r.Peek() != 't'
			r.Skip()
		default:
			if strict.FoldsTo(name, headerNames) {
				r.Fail()
			}
			r.Skip()
		}
	}
	return h, r.End()
}

func (h header) check(accepted algorithmSet) error {
	if h.encrypted {
		return errEncrypted
	}
	if _, ok := accepted[h.algorithm]; !ok {
		return errAlgorithm
	}
	if h.critical {
		return errCritical
	}
	if isMediaType(h.contentType, "JWT") { // nested, RFC 7519 section 5.2
		return errType
	}
	return nil
}

// isMediaType compares as RFC 7515 section 4.1.9 has it: without regard to case,
// and with "application/" understood where there is no slash.
func isMediaType(s, want string) bool {
	const application = "application/"
	if len(s) > len(application) && strings.EqualFold(s[:len(application)], application) {
		s = s[len(application):]
	}
	return strings.EqualFold(s, want)
}

// seedSize is one block of the hash, so that the seed fills it.
const seedSize = sha256.BlockSize

// work is what verifying one token takes. It lives on the stack, but for its buffers,
// which are used again for the next token.
type work struct {
	token
	segments    segments
	knownHeader bool // as that of a token verified before
	hash        tokenSum
	buffers     *buffers
}

type buffers struct {
	text    []byte // a seed, and the token
	decoded []byte // as long as the longest segment yet
}

var pool = sync.Pool{New: func() any { return new(buffers) }}

// load takes a token, and buffers that have to be released.
func (w *work) load(seed *[seedSize]byte, text string) {
	w.buffers = pool.Get().(*buffers)
	w.buffers.decoded = w.buffers.decoded[:0]
	w.buffers.text = append(append(w.buffers.text[:0], seed[:]...), text...)
}

// read takes a token of which nothing is kept, and finds its segments.
func (w *work) read(text string) error {
	if len(text) > maxTokenSize {
		return errTooLarge
	}
	w.buffers = &buffers{text: append(make([]byte, seedSize), text...)}
	return w.split()
}

// release leaves nothing of the token in memory that is used again.
func (b *buffers) release() {
	clear(b.text)
	clear(b.decoded)
	pool.Put(b)
}

// split finds the segments of the token.
func (w *work) split() (err error) {
	w.segments, err = split(w.buffers.text[seedSize:])
	return err
}

// sum makes a hash of the token that only who knows the seed can make.
func (w *work) sum() { w.hash = sha256.Sum256(w.buffers.text) }
