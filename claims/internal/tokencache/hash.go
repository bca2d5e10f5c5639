package tokencache

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"runtime"

	"golang.org/x/sys/cpu"
)

// Sum is a keyed hash of a token. It stands for the token, which is not kept.
type Sum [16]byte

// Hash makes the Sums of tokens, under random keys of its own that never leave
// it. It is safe for concurrent use. [NewHash] makes one.
//
// Where the processor has instructions for AES, a Sum is GMAC and one more
// block of AES: GHASH, a universal hash (McGrew and Viega, "The Security and
// Performance of the Galois/Counter Mode", 2004, lemma 2; NIST SP 800-38D),
// under a key nobody knows, then a permutation under another. What that is
// worth:
//
//   - Two different tokens of up to n blocks of 16 bytes have the same GHASH
//     for at most n+1 of the 2^128 keys: it is a polynomial in the key of that
//     degree, the last of whose coefficients is the length. For tokens of 64
//     KiB, a pair in 2^115; whoever tries 2^40 tokens against 2^24 that are
//     remembered succeeds with a chance of 2^-51. To try is all they can do, as
//     they see no Sum.
//   - GMAC forbids that a nonce is used twice, as two tags under one nonce give
//     the key away to whoever sees them. Nobody sees them: they are never sent,
//     logged or stored, and what leaks by the time that a look-up takes, a few
//     bits of where a Sum is looked for, is of the last permutation's output.
//     That is a pseudorandom function of the token (a universal hash, then a
//     block cipher), of which any number of bits tells nothing but that two
//     tokens are the same.
//
// Elsewhere, and where FIPS 140-only mode forbids GCM with a nonce of one's
// own, it is SHA-256 of a random block and the token, cut to 16 bytes: GHASH
// without instructions for it is slower than that, and reads tables by secrets.
type Hash struct {
	seed  []byte // stands before a token; nil with GMAC
	gmac  cipher.AEAD
	block cipher.Block
}

// NewHash returns a Hash with keys of its own.
func NewHash() *Hash {
	if hasAES {
		if h := newGMAC(); h != nil {
			return h
		}
	}
	return newSHA256()
}

// newGMAC returns nil where it is forbidden.
func newGMAC() *Hash {
	var keys [2][16]byte
	for i := range keys {
		_, _ = rand.Read(keys[i][:]) // never fails
	}
	first, err := aes.NewCipher(keys[0][:])
	if err != nil {
		return nil
	}
	last, err := aes.NewCipher(keys[1][:])
	if err != nil {
		return nil
	}
	gmac, err := cipher.NewGCM(first)
	if err != nil {
		return nil
	}
	return &Hash{gmac: gmac, block: last}
}

func newSHA256() *Hash {
	h := &Hash{seed: make([]byte, sha256.BlockSize)} // so that it fills a block
	_, _ = rand.Read(h.seed)
	return h
}

// Seed returns what must stand before a token in what [Hash.Sum] is given. It
// must not be modified.
func (h *Hash) Seed() []byte { return h.seed }

// nonce is always the same: see Hash.
var nonce = make([]byte, 12)

// Sum sets sum to the hash of a token, which stands behind the Seed. It costs
// no allocation if sum is in the heap.
func (h *Hash) Sum(sum *Sum, seeded []byte) {
	if h.gmac == nil {
		whole := sha256.Sum256(seeded)
		copy(sum[:], whole[:])
		return
	}
	h.gmac.Seal(sum[:0], nonce, nil, seeded)
	h.block.Encrypt(sum[:], sum[:])
}

// hasAES reports whether AES and GHASH are instructions of the processor that
// Go uses.
var hasAES = func() bool {
	switch runtime.GOARCH {
	case "amd64":
		return cpu.X86.HasAES && cpu.X86.HasPCLMULQDQ && cpu.X86.HasSSE41 && cpu.X86.HasSSSE3
	case "arm64":
		return cpu.ARM64.HasAES && cpu.ARM64.HasPMULL
	case "s390x":
		return cpu.S390X.HasAES && cpu.S390X.HasAESGCM
	case "ppc64", "ppc64le":
		return true // of every processor that Go runs on
	}
	return false
}()
