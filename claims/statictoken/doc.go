// Package statictoken lets in callers by tokens of the service's own that last:
// for a machine that cannot get OAuth 2.0 tokens, such as a cron job, a webhook
// or a test environment. Choose it only where an issuer's tokens will not do:
// these count until somebody takes them away, and whoever finds one can use it.
//
//	tokens, err := statictoken.New(statictoken.Config{File: "tokens"})
//	auth := claims.FirstOf(tokens, verifier) // beside an issuer's
//
// What a caller is after that, the requirements of operations and the records
// of decisions are the same as for a JWT.
//
// # Tokens
//
// A token is a prefix, an underscore and 39 letters and digits:
//
//	sallyport_4eC39HqLyjWDarjtT1zdp7dc8kZ0aVbY2mWnRsQ
//
// 22 of them are random, 131 bits; 11 are a tag, 64 bits of HMAC-SHA-256 of
// what stands before under the key of those who mint; the last 6 are CRC-32 of
// all before, so that a scanner that finds one in a log or a repository knows
// that it is one. In base 62 the digits are 0-9, A-Z, a-z, and the numbers have
// the highest first. A mistyped token is told by the CRC, and one that was not
// minted by the tag, before anything is looked up.
//
// # The file
//
// A file has a JSON object on each line. The first has the version of the
// format and the key, 32 bytes in base64url; each other is a [Token]. An empty
// line, and one that begins with "#", says nothing.
//
//	{"statictoken":1,"key":"…"}
//	{"hash":"…","subject":"ci","client":"ci","scopes":["orders:read"],
//	 "permissions":["orders:refund"],"expires":"2027-01-31T00:00:00Z",
//	 "networks":["10.0.0.0/8"],"note":"nightly import"}
//
// (on one line). The hash is the rest of the HMAC, 192 bits: who reads the file
// has no token, and the hash of a token says nothing in another file. Members
// that are not known are refused, so that a misspelled "expires" is no token
// for ever. [Mint] and [AddToFile] make tokens. To revoke one, remove its line.
//
// The file is looked at again while it is in use, [Config].Refresh after it was
// last looked at, and read again if it has changed. One that is broken or gone
// is told to the log, and the last good one goes on to count; before there was
// a good one, nothing can be decided ([claims.ErrUnavailable]). Write it to
// another name and rename it, as [AddToFile] has no need to.
//
// # Elsewhere
//
// Tokens of the same form may lie elsewhere, such as in a database:
// [Config].Source. Only tokens that were minted with [Config].Key are looked
// up, so that strangers cannot make a lookup happen.
package statictoken
