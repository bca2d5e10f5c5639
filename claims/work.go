package claims

import (
	"crypto/sha256"
	"sync"
)

// seedSize is one block of the hash, so that the seed fills it.
const seedSize = sha256.BlockSize

// work is what verifying one token takes. It is used again for the next.
type work struct {
	token
	segments    segments
	knownHeader bool // as that of a token verified before
	hash        tokenSum
	text        []byte // a seed, and the token
	decoded     []byte
}

var works = sync.Pool{New: func() any { return new(work) }}

// newWork returns a work on a token, to be released when all is done.
func newWork(seed *[seedSize]byte, text string) *work {
	w := works.Get().(*work)
	w.text = append(append(w.text[:0], seed[:]...), text...)
	return w
}

// read finds the segments of a token.
func (w *work) read(text string) error {
	if len(text) > maxTokenSize {
		return errTooLarge
	}
	w.text = append(make([]byte, seedSize), text...)
	return w.split()
}

// release leaves nothing of the token in memory that is used again.
func (w *work) release() {
	clear(w.text)
	decoded := w.decoded[:cap(w.decoded)]
	clear(decoded)
	*w = work{text: w.text, decoded: decoded}
	works.Put(w)
}

// split finds the segments of the token.
func (w *work) split() (err error) {
	w.segments, err = split(w.text[seedSize:])
	return err
}

// sum makes a hash of the token that only who knows the seed can make.
func (w *work) sum() { w.hash = sha256.Sum256(w.text) }
