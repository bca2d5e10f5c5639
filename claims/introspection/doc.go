// Package introspection lets in callers by tokens that only their issuer can
// read: it asks the issuer's introspection endpoint (RFC 7662). Choose it for
// opaque tokens, and for tokens that must not outlive their revocation by more
// than a minute. For JWTs alone a [claims.Verifier] is faster, asks nobody, and
// goes on in an outage; [Also] asks about those as well, every few minutes.
//
//	opaque, err := introspection.New(introspection.Config{
//		Endpoint: "https://issuer.example/introspect",
//		Client:   introspection.Basic("orders", secret),
//		Accept: claims.Config{
//			Issuer:    "https://issuer.example",
//			Audiences: []string{"https://orders.example"},
//		},
//	})
//	auth := claims.FirstOf(verifier, opaque)
//
// What a caller is after that, the requirements of operations and the records
// of decisions are the same as for a JWT.
//
// # What is checked
//
// The answer must be a JSON object, read as strictly as a token, in which
// "active" is true. By [Config].Accept, as for a JWT: "iss", which may be
// absent, "exp", which may be, too, "nbf" and "iat", "aud", the claims that are
// required and forbidden, the client; on each use the time, the binding and
// Config.Check. A token with "cnf" is bound to a key and must be proven, by the
// Confirmers that Accept names (RFC 7800, RFC 8705, RFC 9449). "token_type"
// (RFC 7662 section 2.2), "token_use" and "typ", where they are there, must be
// those of an access token, as endpoints answer about refresh tokens, too. Many
// endpoints give no "aud" as they answer only about the tokens that are for who
// asks: that takes [Config].InsecureMissingAudience, and it is so only if the
// endpoint's documentation says so.
//
// # What is remembered
//
// An answer counts for [Config].MaxAge, a minute by default, or until the token
// expires; in the last quarter of that time the next is asked for, which nobody
// waits for. That a token is not active counts for ten seconds, and is
// remembered apart, so that bad tokens evict bad tokens alone. Tokens are not
// kept, but a keyed hash of each. Requests with the same token ask once.
//
// # What strangers can do
//
// Anybody can make up an opaque token, and nobody but the endpoint can tell. So
// there are two lines: 64 calls at a time about tokens that were active in the
// last hour, and 32 about others. However many strangers come, those who are
// known do not wait behind them, and the endpoint has no more than 32 calls for
// them at a time. A stranger whose turn does not come within half of
// [Config].Timeout is refused, not undecided. A token that is not base64url and
// the like (RFC 6750 section 2.1), too long, or not of the form that
// [Config].Recognizes wants, is not asked about at all.
//
// # Outages
//
// An endpoint that is down, silent for 5 seconds ([Config].Timeout) or answers
// nonsense says nothing about a token: [claims.ErrUnavailable]. What it said
// before counts to the end of its time, and no longer.
package introspection
