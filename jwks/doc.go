// Package jwks keeps the public keys of one token issuer at hand, through
// rotations, outages and attacks.
//
// A [Cache] gets the issuer's JSON Web Key Set (RFC 7517) from the network, by
// discovery (OpenID Connect Discovery 1.0 section 4, RFC 8414 sections 3 and 5)
// or at a URL given, from a [File], or from any other [Source], and answers
// look-ups from an immutable snapshot of it: a look-up whose key is known takes
// no lock and does no I/O. A [Set] never changes: [Parse] makes one of a
// document in any usual form, and [NewSet] of public keys.
//
// Most programs need nothing of this package: package claims makes a Cache for
// the issuer that its Config names. Those that do need one or two of these:
// [NewCache] for settings of their own, [Parse] or [File] for keys at hand,
// [Cache.Stats] for metrics.
//
// # States
//
// [Cache.Stats] tells the state. F is a fetch that succeeds.
//
//	          first look-up, or Ready: the caller waits
//	 empty ───────────────────────────────────────────┐
//	   │ the fetch fails                              │ F
//	   ▼                   F                          ▼       F
//	unavailable ──────────────────────────────────▶ fresh ◀──────── idle
//	   ▲                                            │ │ ▲            ▲ │
//	   │                                  a fetch   │ │ │ F          │ │
//	   │ MaxStale has passed              fails     ▼ └─┼────────────┘ │
//	   └──────────── stale ◀────────────────────── failing             │
//	                   ▲    its age has passed        nobody asks      │
//	                   └───────────────────────────────────────────────┘
//	                        a fetch fails
//
//	empty        a look-up waits for the first fetch
//	fresh        served from the snapshot
//	failing      the same, while fetches fail
//	stale        the same, although the keys are past their age
//	unavailable  [ErrUnavailable], with the time after which to try again
//	idle         the keys are past their age, as nobody has asked since the last
//	             fetch, which succeeded: a look-up is served from the snapshot
//	             and starts a fetch, or, past MaxStale, waits for it
//
// A stale cache becomes fresh by F as well. In every state but empty,
// unavailable, and idle past MaxStale, a look-up of a known key returns at
// once, even if the issuer hangs.
//
// Alert on unavailable: requests are refused. Warn of stale, and of failing for
// longer than a few minutes, before it comes to that. Never alert on idle, nor
// on ages: a service at night has old keys and no trouble. [Stats].LastFault
// and the log say why.
//
// # Numbers
//
// Those that [Config] has a field for can be changed.
//
//	fresh for        max-age of the answer, or Expires, less its Age (RFC 9111
//	                 section 4.2): 1 min … 24 h; else 10 min (DefaultMaxAge).
//	                 no-store and no-cache do not shorten it
//	refresh ahead    at 80 % of that, ±10 %, by the look-up that comes then,
//	                 which does not wait; conditional where the answer had an ETag
//	stale            1 h past fresh (MaxStale, 0 … 24 h)
//	unknown key      for a key ID that is unknown, or names a key for another
//	                 algorithm, or a signature that none of the keys verifies,
//	                 the look-up waits for one fetch, not answered from caches on
//	                 the way, and looks again; then no such fetch for 30 s from
//	                 that attempt (Cooldown), and for the key ID that it was made
//	                 for and did not bring for twice that (1,024 are remembered)
//	waiting          256 look-ups wait for one fetch, further ones for none; each
//	                 for one Timeout in all, and for as long as its context lasts
//	failed fetch     the next scheduled one after 1 s, 2 s, 4 s … 60 s, ±10 %, or,
//	                 while no keys may be used, 8 s
//	a fetch          5 s (Timeout): metadata, key set and all Sources. The places
//	                 of metadata are asked at once; the best that answers counts,
//	                 within half of the time. Several Sources share what is left
//	a document       512 KiB, 1,000 keys of it, 5 redirects
//	keys tried       32 for a token without key ID, or where several have it
//
// Times pass by the wall clock or the monotonic one, whichever is ahead: when a
// machine has slept, its keys have aged.
//
// # Attacks
//
// Whoever can send tokens can invent key IDs and signatures. All that they
// bring about is one fetch per Cooldown, of both kinds together; the scheduled
// fetches and their backoff are not touched by it, so a rotation shows within
// one Cooldown even then, or within two if its key ID was asked for before it
// was published. An unknown key is never answered with ErrUnavailable while any
// keys are held.
//
// # What is refused
//
// An answer that is in none of the forms that [Parse] reads, is too large, or
// has no key that can be used never replaces the keys held. A set that has
// fewer keys than before does: keys are withdrawn that way. One key that cannot
// be used never voids the others: it is skipped and listed by [Set.Skipped].
// URLs are https, or http on a loopback address or one of
// Config.InsecureHTTPHosts; a redirect is followed only within the origin it
// came from; an issuer's metadata counts only if its "issuer" equals the one
// configured (RFC 8414 section 3.3), and metadata read over https never leads
// to keys over http, unless at a host so named. Metadata is read again when the
// keys cannot be fetched, and for an unknown key, as the keys may have moved.
//
// What else issuers send and is not taken, by what one sees:
//
//	"speaks for issuer …"   the issuer is not configured as it calls itself, to
//	                        the final slash: copy the "issuer" of its metadata
//	"byte order mark"       an editor has put one before the JSON or PEM (RFC
//	                        8259 section 8.1): save it as UTF-8 without
//	skipped: use            a "use" that is blank, or not "sig": leave it out
//	skipped:                an "alg" that is blank, or of another type of key:
//	 unsupported_algorithm  leave it out
//	skipped: malformed      base64 with padding, or "kid" that is no string, among
//	                        others; null members count as absent
//	skipped: private        the issuer publishes its private key: tell it at once
//
// # Fetches
//
// Only a look-up, or [Cache.Ready], starts a fetch, and no goroutine outlives
// its Timeout, but that of a Source or transport which does not heed its
// context. One fetch is under way at a time. It runs on a context of its own,
// so a caller that gives up harms nobody. Of several Sources, those after the
// first are asked only once the keys held are no longer fresh. A panic of a
// Source, a transport or an Observer is recovered; one in a goroutine that they
// start is not.
//
// The package knows nothing of tokens: that a key found here belongs to the
// issuer of a token is for its caller, package claims, to see to.
package jwks
