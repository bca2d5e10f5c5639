// Package claims decides who sent a request and whether they may do what they
// ask: credentials in, claims out, or one typed refusal.
//
// Most programs need four names of it. [NewVerifier] makes what verifies the
// access tokens of an issuer. A [Requirement], such as [Scopes], says what an
// operation needs. In a handler [FromContext] returns the caller, and [Allowed]
// answers whether they may do a part of what was asked. The New of package
// httpmw or grpcmw puts a Verifier in front of handlers or methods:
//
//	auth, err := claims.NewVerifier(claims.Config{
//		Issuer:    "https://issuer.example",
//		Audiences: []string{"https://api.example"},
//	})
//
// [Issuers] verify the tokens of several issuers, [Tenants] those of issuers
// that are not known beforehand, and [FirstOf] several kinds of token.
//
// # What is checked, in this order
//
// Nothing outside the token is looked at before its issuer is known to be
// trusted, and every check before the key is cheap. [Verifier.Explain] shows
// what each found.
//
//  1. Form: at most [Config].MaxTokenSize, three segments (RFC 7515 section
//     7.1). Each segment is strict base64url, without padding, line breaks or
//     stray bits (RFC 7515 section 2). An encrypted token (RFC 7516) is refused
//     with a reason of its own.
//  2. Header: a JSON object without duplicate members, at most 64 of them.
//     "alg" is one of the asymmetric algorithms below, never "none" and never
//     HMAC (RFC 8725 sections 3.1 and 3.2). There is no "crit" (RFC 7515
//     section 4.1.11), no unencoded payload (RFC 7797) and no nested token.
//     "jwk", "jku", "x5c" and "x5u" are never used: the sender writes them.
//  3. Payload: a JSON object in valid UTF-8 without duplicate members (RFC 7519
//     section 4), with at most 256 claims and 512 members in all. Names are
//     case-sensitive, and a claim whose name differs from that of a claim used
//     here in case alone is refused. Claims have their types, and times lie
//     between 1970 and 9999.
//  4. Issuer: "iss" equals a trusted issuer byte for byte (RFC 7519 section
//     4.1.1, RFC 8725 section 3.8). The issuer picks the rules for what
//     follows.
//  5. Algorithm: one that the issuer uses.
//  6. Type: "typ" is that of an access token (RFC 9068 section 2.1, RFC 8725
//     section 3.11), and no claim shows another kind of token: the hash of a
//     token or code, as ID tokens have it, a set of events (RFC 8417), and what
//     [Config].ForbiddenClaims and ClaimValues say (RFC 8725 section 3.12).
//  7. Time: "exp", which is required, "nbf" and "iat", with one leeway (RFC
//     7519 sections 4.1.4 to 4.1.6); then the greatest age and lifetime, if
//     set.
//  8. Audience: "aud" has one of this API's names (RFC 7519 section 4.1.3, RFC
//     8725 section 3.9), unless opted out of by name.
//  9. Claims: those that are required are there and say something.
//  10. Key: by "kid", out of this issuer's key set, and fit for "alg" by type,
//     curve, "alg", "use" and "key_ops" (RFC 7517 section 4, RFC 8725 section
//     3.1); without "kid", the keys that fit. Only here may the network be
//     used, within the limits that package jwks sets. To keep floods cheap, a
//     Verifier refuses an unknown key ID before it reads the payload, as long
//     as the [jwks.Cache] would not fetch for it.
//  11. Signature: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512
//     (RFC 7518 section 3), EdDSA with Ed25519 (RFC 8037), which may also be
//     called Ed25519 (RFC 9864).
//  12. Client: one of [Config].ClientIDs, if it names any.
//  13. Binding: a token with "cnf" is bound to a key (RFC 7800). Each member is
//     proven by one of [Config].Confirmers, which packages dpop and mtls make,
//     on each use of the token. A token with a member that none of them proves
//     is refused, never taken as a plain Bearer token.
//  14. Check: [Config].Check, a check of your own.
//
// Then the operation's requirement is checked.
//
// # Issuers
//
// The tokens of every issuer differ a little: where the client is, what is a
// scope, how an ID token is told from an access token. A [Profile] is one word
// for what an issuer of a kind needs, such as [Cognito] or [Keycloak]; a Config
// may override any of its fields.
//
// HMAC is for [NewSymmetricVerifier] alone, which never meets a public key.
//
// # Remembered tokens
//
// A client sends the same token until it expires, so a verified one is
// remembered: to verify it again takes well under a microsecond, and no
// allocation. Every use checks again: the issuer, the key, the time, the
// binding, Config.Check and the requirement. Refusals are never remembered; a
// token that differs in one byte is another token. Identical tokens that arrive
// together are verified once.
//
// [Config].MaxTokens is how many: one for each client active at a time is
// enough, and a tenth is often nearly as good. Of requests of 20,000 clients
// whose shares follow Zipf's law with an exponent of 1.07, a cache for 1 % of
// the clients hit 53 %, for 5 % 70 %, for 10 % 77 %, for 25 % 86 %, for 50 % 92
// %. A token takes the length of its claims and about 500 bytes, and there are
// 2 KiB for each: of tokens that take 4 KiB half as many are remembered, of
// those that take 16 KiB an eighth, and of larger ones none.
//
// # Outcomes
//
// A refusal is an [*Error]. It matches one of the sentinels [ErrNoToken],
// [ErrInvalidRequest], [ErrInvalidToken], [ErrInsufficientAuthentication],
// [ErrInsufficientScope] or [ErrForbidden], and [ErrUnavailable]. Its [Reason]
// says which check it was, and its cause, which is for operators alone, what
// was wrong. Nothing that a caller sends leads to ErrUnavailable: it means that
// the issuer's keys or the caller's permissions cannot be had, or that a
// [Func], or what resolves issuers for [Tenants], could not decide.
//
// A caller who goes away before there is a decision is no outage: records and
// metrics call that "canceled" ([ReasonCanceled], [Decision.Outcome]). The page
// troubleshooting.md beside this file has each reason, what it means and what
// to do about it.
//
// # Requirements
//
// Scopes are what the client was granted in the token. Permissions are what the
// resource server says that the caller may do: by other claims of the token,
// such as roles, as the issuer's [Config] maps them, or by a
// [PermissionSource], such as a database, everywhere or in one workspace. All
// are compared exactly: no wildcards, no prefixes. What is not listed is
// denied.
//
// A requirement may also look at the user's authentication ([ACR] and [MaxAge],
// by RFC 9470) and at the request ([RequestFunc]), and be tried before it is
// enforced ([ReportOnly]). [Allowed] and [Filter] ask about a part of a
// request. Who has no token passes where that is [Optional], and a [Second]
// credential is asked for by name. An [Observer] is told of each [Decision].
// The page authorizing.md beside this file is about which to choose.
//
// A transport needs only a [Guard]: it decides, and puts the caller into the
// handler's context.
package claims
