package dpop

import (
	"context"
	"time"
)

// ReplayStore remembers proofs, so that each is accepted once (RFC 9449 section
// 11.1). It is safe for concurrent use. [NewMemory] makes the one of a single
// process; replicas share one that is elsewhere, such as in Redis.
type ReplayStore interface {
	// Use takes note of a proof and reports whether it is fresh: of any number
	// of calls for the same key and identifier until a time, one at a time or
	// all at once, on one replica or on many, exactly one is told so. jkt is
	// the thumbprint of the key (RFC 7638) and jti the identifier that its
	// holder chose, of at most [MaxIdentifier] bytes, any of UTF-8. It is asked
	// last, once the proof is found to be right in all else, and should do one
	// round trip.
	//
	// Any error refuses the request, as one that cannot be decided unless it is
	// a [*claims.Error]. ctx ends after [StoreTimeout]; a store that does not
	// heed it is not waited for.
	Use(ctx context.Context, jkt, jti string, until time.Time) (fresh bool, err error)
}

const (
	// MaxIdentifier is how long the "jti" of a proof may be, in bytes.
	MaxIdentifier = 256

	// StoreTimeout is how long a [ReplayStore] is waited for.
	StoreTimeout = 2 * time.Second
)
