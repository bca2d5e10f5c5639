// Package revocation ends tokens before they expire: one token, a session, a
// subject, a client, or everything of an issuer, all that were issued until
// some time. A [Table] holds what has ended; the transports ask it on each use
// of a token, of any kind, and end what is open:
//
//	ended, err := revocation.NewTable(revocation.Config{})
//	…
//	auth := httpmw.New(verifier, httpmw.Config{Revocations: ended})
//	…
//	err = ended.Revoke(ctx, revocation.Entry{Issuer: issuer, Subject: "alice"})
//
// Choose it where tokens live longer than whoever stole one may use it. A token
// that has ended is refused with 401 "invalid_token" and the reason
// [claims.ReasonRevoked]. One that is issued after the news passes, and so does
// another issuer's subject of the same name.
//
// # What an entry reaches
//
// Which tokens have ended is told by their claims alone. A token without "jti"
// cannot be named by one, nor a token without "sid" by its session: end them by
// subject or client. Of a token without "iat" nobody knows when it was issued:
// each [Entry] that names what it has ends it, whatever Before says, while the
// Entry is kept. "iat" has whole seconds, so a token of the second in which the
// news came has ended, though it may have been issued after it.
//
// An entry is kept as long as a token lives, [Config].MaxTokenLife. A token
// that lives longer, or for ever, is accepted again afterwards, unless
// [Entry].Until says otherwise: such tokens are better ended where they are
// from.
//
// # Cost
//
// Without news a request pays two atomic loads. After a piece of news each
// token is looked up once, in about a third of a microsecond, however many
// entries there are (BenchmarkTable); nothing locks, and nothing is allocated.
//
// # Replicas
//
// A table is of one process. [Config].Store shares its entries with others:
// package claims/redisstore has one.
//
// # News from outside
//
// Package claims/revocation/receiver takes it from authorization servers and
// others: OpenID Connect Back-Channel Logout, Shared Signals, Global Token
// Revocation.
package revocation
