// Package claims decides who sent a request and whether they may do what they
// ask: credentials in, claims out, or one typed refusal.
//
// A [Verifier] verifies the JWT access tokens of one issuer, [Issuers] those of
// several. A [Requirement] says what an operation needs. The transports, packages
// httpmw and grpcmw, take the credentials out of a request and write the refusal;
// a handler finds its caller by [FromContext].
//
// # What is checked, in this order
//
// Nothing outside the token is looked at before its issuer is known to be
// trusted, and every check before the key is cheap. [Verifier.Explain] shows what
// each found.
//
//  1. Form: at most 16 KiB, three segments (RFC 7515 section 7.1). Each segment is
//     strict base64url when it is read, without padding, line breaks or stray bits
//     (RFC 7515 section 2). An encrypted token (RFC 7516) is told so.
//  2. Header: a JSON object without duplicate members; "alg" one of the
//     asymmetric algorithms below, never "none" and never HMAC (RFC 8725 sections
//     3.1 and 3.2); no "crit" (RFC 7515 section 4.1.11), no unencoded payload
//     (RFC 7797), no nested token. "jwk", "jku", "x5c" and "x5u" are never used:
//     the sender writes them.
//  3. Payload: a JSON object in valid UTF-8 without duplicate members (RFC 7519
//     section 4). Names are case-sensitive, and one that differs from a claim
//     used here in case alone is refused. Claims have their types, and times lie
//     between 1970 and 9999.
//  4. Issuer: "iss" equals a trusted issuer byte for byte (RFC 7519 section
//     4.1.1, RFC 8725 section 3.8). The issuer picks all that follows.
//  5. Its algorithms.
//  6. Its types of token: "typ" (RFC 9068 section 2.1, RFC 8725 section 3.11), and
//     no claims of another kind of token: a hash of a token or code, as ID tokens
//     have it, a set of events (RFC 8417), what [Config].ForbiddenClaims and
//     ClaimValues say (RFC 8725 section 3.12).
//  7. Time: "exp", which is required, "nbf" and "iat", with one leeway (RFC 7519
//     sections 4.1.4 to 4.1.6); then the greatest age and lifetime, if set.
//  8. Audience: "aud" has one of this API's names (RFC 7519 section 4.1.3, RFC
//     8725 section 3.9), unless opted out of by name.
//  9. Claims that are required.
//  10. Key: by "kid", out of this issuer's key set, and fit for "alg" by type,
//     curve, "alg", "use" and "key_ops" (RFC 7517 section 4, RFC 8725 section
//     3.1); without "kid", the keys that fit, at most four. Only here may the
//     network be used, within the limits that package jwks sets. While a
//     [*jwks.Cache] makes no fetch for it, a [Verifier] refuses a key ID that it
//     does not have before the payload is read, where that names the issuer: a
//     flood of invented key IDs is to cost little.
//  11. Signature: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512
//     (RFC 7518 section 3), EdDSA with Ed25519 (RFC 8037), which may also be
//     called Ed25519 (RFC 9864).
//  12. Binding: a token with "cnf" is bound to a key (RFC 7800) that nothing here
//     can prove, so it is refused, never taken as a plain Bearer token.
//  13. Client, if [Config].ClientIDs names any.
//  14. [Config].Check, a check of your own.
//
// Then the operation's requirement is checked.
//
// # Issuers
//
// Every issuer's tokens differ a little: where the client is, what is a scope, how
// an ID token is told from an access token. A [Profile] is one word for what an
// issuer of a kind needs, such as [Cognito] or [Keycloak]; each field that it
// stands for can be set by itself.
//
// HMAC is for [NewSymmetricVerifier] alone, which never meets a public key.
//
// # Remembered tokens
//
// A client sends the same token until it expires, so a verified one is remembered:
// to see it again costs about a microsecond, most of it for a keyed hash, and no
// allocation. Each time it is checked anew that its issuer is trusted by the same
// Config, that its key is still in the issuer's key set, that it is valid now, and
// what [Config].Check and the operation's requirement say. What is not the same is
// not remembered: refusals, and tokens that differ in a single byte. Identical
// tokens that arrive together are verified once.
//
// [Config].TokenCache is how many: as many as there are clients at a time is
// enough, and a tenth is often nearly as good. Of requests of 20,000 clients whose
// shares follow Zipf's law with an exponent of 1.07, a cache for 1 % of the clients
// hit 53 %, for 5 % 70 %, for 10 % 77 %, for 25 % 86 %, for 50 % 92 %. A token takes
// the length of its claims and about 500 bytes.
//
// # Outcomes
//
// A refusal is an [*Error]. It matches one of the sentinels [ErrNoToken],
// [ErrInvalidRequest], [ErrInvalidToken], [ErrInsufficientAuthentication],
// [ErrInsufficientScope] or [ErrForbidden], and [ErrUnavailable], and says by a
// [Reason] which check it was. Nothing that a caller sends leads to
// ErrUnavailable: it means that the issuer's keys or the caller's permissions can not
// be had, or that a [Func], or what resolves issuers for [Tenants], could not tell.
//
// # Requirements
//
// Scopes are what the client was granted in the token. Permissions are what the
// resource server says that the caller may do: by other claims of the token, such as
// roles, as the issuer's [Config] maps them, or by a [PermissionSource], such as a
// database, everywhere or in one workspace. All are compared exactly: no wildcards, no
// prefixes. What is not listed is denied.
//
// A requirement may also look at the user's authentication ([ACR], [MaxAge], RFC
// 9470), at the request ([RequestFunc]), and be tried before it is enforced
// ([ReportOnly]). [Allowed] and [Filter] ask about a part of a request. An [Observer]
// is told of each [Decision]. The page authorizing.md beside this file is about which
// to choose.
//
// All of it is made for a transport by a [Guard], with what lasts as long as the
// request in the context of its handler.
package claims
