// Package jwks keeps the public keys of one token issuer at hand, through
// rotations, outages and attacks.
//
// A [Cache] gets the issuer's JSON Web Key Set (RFC 7517) from the network, by
// discovery (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3) or at a
// URL given, from a [File], or from any other [Source], and answers look-ups from
// an immutable snapshot of it: a look-up whose key is known takes no lock and
// does no I/O. [Parse] makes a [Set] that never changes from a document at hand.
//
// # States
//
// [Cache.Stats] tells the state. F is a fetch that succeeds.
//
//	          first look-up, or Ready: the caller waits
//	 empty ───────────────────────────────────────────┐
//	   │ the fetch fails                              │ F
//	   ▼                   F                          ▼
//	unavailable ──────────────────────────────────▶ fresh ◀───────┐
//	   ▲                                              │ a fetch    │
//	   │                                              │ fails      │ F
//	   │ MaxStale has passed                          ▼            │
//	   └──────────── stale ◀────────────────────── failing ───────┤
//	                   │    its age has passed                     │
//	                   └──────────────────────────────────────────┘
//
//	empty        a look-up waits for the first fetch
//	fresh        served from the snapshot
//	failing      the same, while fetches fail
//	stale        the same, although the keys are past their age; it also follows
//	             fresh where nobody asked for so long
//	unavailable  [ErrUnavailable], with the time after which to try again
//
// In every state but the first and the last, a look-up of a known key returns at
// once, even if the issuer hangs.
//
// # Numbers
//
// Those that [Config] has a field for can be changed.
//
//	fresh for        max-age of the answer, or Expires, less its Age (RFC 9111
//	                 section 4.2): 1 min … 24 h; else 10 min (DefaultMaxAge).
//	                 no-store and no-cache do not shorten it
//	refresh ahead    at 80 % of that, ±10 %, by the look-up that comes then, which
//	                 does not wait; conditional where the answer had an ETag
//	stale            1 h past fresh (MaxStale, 0 … 24 h)
//	unknown key ID   the look-up waits for one fetch, not answered from caches on
//	                 the way, and looks again; then no such fetch for 30 s from
//	                 that attempt (Cooldown), and for a key ID that it did not
//	                 bring for twice that (1,024 of them are remembered); 256
//	                 look-ups wait for one fetch, further ones for none
//	failed fetch     the next scheduled one after 1 s, 2 s, 4 s … 60 s, ±10 %
//	each request     5 s (Timeout), 512 KiB, 100 keys, 5 redirects
//
// # Attacks
//
// Whoever can send tokens can invent key IDs. All that they bring about is one
// fetch per Cooldown; the scheduled fetches and their backoff are not touched by
// it, so a rotation shows within one Cooldown even then, or within two if its key
// ID was asked for before it was published. An unknown key ID is never
// answered with ErrUnavailable while any keys are held. A look-up of a known key
// never leads to a fetch before its time, whatever becomes of the signature.
//
// # What is refused
//
// An answer that is not a key set, is too large, or has no key that can be used
// never replaces the keys held. A set that has fewer keys than before does: keys
// are withdrawn that way. One key that can not be used never voids the others: it
// is skipped and listed by [Set.Skipped]. URLs are https, or http on a loopback
// address; a redirect is followed only within the origin it came from; an
// issuer's metadata counts only if its "issuer" equals the one configured (RFC
// 8414 section 3.3), and metadata read over https never leads to keys over http.
// Metadata is read again when the keys can not be fetched, and for an unknown
// key ID, as the keys may have moved.
//
// # Fetches
//
// Only a look-up, or [Cache.Ready], starts a fetch; no goroutine outlives one, but
// that of a Source which does not heed its context.
// One fetch is under way at a time. It runs on a context of its own, so a caller
// that gives up harms nobody, and each caller waits no longer than its own
// context allows. Of several Sources, those after the first are asked only once
// the keys held are no longer fresh.
//
// The package knows nothing of tokens: that a key found here belongs to the
// issuer of a token is for its caller, package claims, to see to.
package jwks
