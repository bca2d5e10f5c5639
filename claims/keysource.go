package claims

import (
	"context"

	"github.com/sallyport-go/sallyport/jwks"
)

// KeySource finds the public keys of one issuer. [*jwks.Cache] and [*jwks.Set]
// are KeySources. It is safe for concurrent use.
//
// Lookup returns the keys that a signature of the algorithm, made by the key
// with the given ID, is to be checked with; at most 32 are tried. The error
// matches [jwks.ErrUnknownKey], [jwks.ErrKeyMismatch] or [jwks.ErrUnavailable];
// the last never because of keyID or algorithm, which the sender of a token
// chooses. Any other error is taken as ErrUnknownKey.
type KeySource interface {
	Lookup(ctx context.Context, keyID, algorithm string) ([]*jwks.Key, error)
}
