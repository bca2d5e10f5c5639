package claims

import (
	"crypto/sha256"
	"sync"
)

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
