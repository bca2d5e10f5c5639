package claims

import (
	"context"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
	"github.com/sallyport-go/sallyport/claims/internal/tokencache"
)

// checkForm finds the segments of the token.
func checkForm(_ context.Context, w *work) (err error) {
	w.segments, err = split(w.text())
	return err
}

// checkHeader reads the header. It reaches nothing outside the token.
func checkHeader(_ context.Context, w *work) error {
	decoded, ok := w.decode(w.segments.header)
	if !ok {
		return errHeaderText
	}
	var refusal *Error
	if w.header, refusal = readHeader(string(decoded)); refusal != nil {
		return refusal
	}
	return w.header.check(w.accepted)
}

// checkPayload reads the payload and decodes the signature. It is linear in
// their length and reaches nothing outside the token.
func checkPayload(_ context.Context, w *work) error {
	payload, ok := w.decode(w.segments.payload)
	if !ok {
		return errPayloadText
	}
	text := string(payload)
	if w.signature, ok = w.decode(w.segments.signature); !ok {
		return errSignatureText
	}
	w.input = w.segments.input
	f, refusal := parseClaims(text, &w.members)
	if refusal != nil {
		return refusal
	}
	w.claims = f
	return nil
}

// decode decodes a segment into the buffer, in the place of what was there.
func (w *work) decode(segment []byte) (decoded []byte, ok bool) {
	decoded, ok = strict.Decode(w.decoded, segment)
	// What failed may have left something there as well.
	w.decoded = decoded[:max(len(segment), len(w.decoded))]
	return decoded, ok
}

// work is what verifying one token takes. It is used again for other tokens.
type work struct {
	token
	segments    segments
	knownHeader bool // as that of a token verified before
	hash        tokencache.Sum
	accepted    jws.Algorithms
	credentials Credentials
	issuers     router
	v           *trust // whose rules count, once the issuer is known
	now         time.Time
	asked       time.Time // when keys were first asked for
	remembered  *facts    // of the token, if it is being re-checked

	seeded  []byte // the seed of the hash, and the token
	seed    int    // how long that is
	decoded []byte // as long as the longest segment yet
}

var works = sync.Pool{New: func() any { return new(work) }}

// release leaves nothing of the token in memory that is used again.
func (w *work) release() {
	clear(w.seeded)
	clear(w.decoded)
	seeded, decoded := w.seeded[:0], w.decoded[:0]
	*w = work{} // by itself: with fields, all of it would be copied
	w.seeded, w.decoded = seeded, decoded
	works.Put(w)
}

// text returns the token, nothing for claims that are re-checked.
func (w *work) text() []byte { return w.seeded[w.seed:] }

// router finds the Verifier of an issuer. Errors are refusals.
type router interface {
	// owner is the Authenticator that the tokens are verified for.
	owner() maker
	// takes reports whether tokens may come under a scheme other than Bearer;
	// sure is false if that depends on issuers that are not known yet.
	takes(scheme string) (takes, sure bool)
	// sizes returns how long a token may be whose issuer is not known yet.
	sizes() (maxTokenSize int)
	// early may refuse a token by its header, before the payload is decoded. It
	// is not asked about headers of verified tokens.
	early(h header, payload []byte) (by *trust, err error)
	route(ctx context.Context, issuer string) (*trust, error)
	// wanted says which issuers are trusted, for people.
	wanted() string
	// each yields those that are trusted.
	each(yield func(*trust) bool)
	// nearest returns whose issuer differs from one that is not trusted in
	// spelling alone, and in what; nil if nobody's does, or more than most are
	// trusted.
	nearest(issuer string, most int) (of *trust, how string)
}
