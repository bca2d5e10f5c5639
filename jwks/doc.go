// Package jwks keeps the public keys of one token issuer at hand.
//
// A [Cache] finds the issuer's JSON Web Key Set (RFC 7517), by discovery
// (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3) or at a URL
// given, and answers look-ups from an immutable snapshot of it: a look-up whose
// key is known takes no lock and does no I/O. [Parse] makes a [Set] that never
// changes from a document already at hand.
//
// # When the cache fetches
//
// Only a look-up, or [Cache.Ready], starts a fetch; no goroutine outlives one.
// Fetches are single flight: however many callers need one, one is under way.
// It runs on a context of its own, so a caller that gives up harms nobody, and
// each caller waits no longer than its own context allows.
//
//	nothing held yet     the look-up waits for a fetch
//	fresh                served from the snapshot
//	80 % of fresh life   served from the snapshot while a fetch runs beside it
//	(±10 % of that)
//	stale, up to 1 h     served from the snapshot; fetches go on
//	stale for longer     [ErrUnavailable] until a fetch succeeds
//	unknown key ID       the look-up waits for one fetch and looks again; then
//	                     none for 30 s from that attempt: [ErrUnknownKey]
//	fetch failed         the next scheduled one after 1 s, 2 s, 4 s … 60 s (±10 %)
//
// A key set is fresh for the max-age of its Cache-Control field (RFC 9111
// section 5.2.2.1), at least 1 minute and at most 24 hours, and for 10 minutes
// where there is none.
//
// # What is refused
//
// An answer that is not a key set, is larger than 512 KiB, has more than 100
// keys or none that can be used never replaces the keys held. One key that can
// not be used never voids the others: it is skipped and listed by
// [Set.Skipped]. URLs are https, or http on a loopback address; a redirect is
// followed only within the origin it came from; an issuer's metadata counts
// only if its "issuer" equals the one configured (RFC 8414 section 3.3), and
// metadata read over https never leads to keys over http.
//
// The package knows nothing of tokens: that a key found here belongs to the
// issuer of a token is for its caller, package claims, to see to.
package jwks
