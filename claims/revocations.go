package claims

import "time"

// Revocations says which tokens have ended before they expire. A [Guard] asks
// it on each use of a token of any kind, one that is remembered included, and
// when it is asked again about a request that lasts. It is safe for concurrent
// use. [*revocation.Table] is one.
//
// [*revocation.Table]: https://pkg.go.dev/github.com/sallyport-go/sallyport/claims/revocation#Table
type Revocations interface {
	// Latest returns the last piece of news: each is another pointer. Nil means
	// that there has been none, and that no token is revoked. A token that
	// Revoked has let pass is not asked about again before there is other news,
	// so Latest costs a request one atomic load.
	Latest() *News

	// Revoked returns nil unless the token that the claims are of has ended.
	// The error of one that has is usually an [*Error] with [ReasonRevoked];
	// any other is the cause of one. It must neither block nor keep the claims.
	Revoked(caller *Claims) error

	// Subscribe has told called after each piece of news, once Latest returns
	// it, until cancel is called. told must be quick.
	Subscribe(told func()) (cancel func())

	// Heard returns the time up to which all news is known: now, if nobody else
	// has any.
	Heard() time.Time
}
