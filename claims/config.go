package claims

import (
	"context"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

// Config says which tokens a [Verifier] accepts.
type Config struct {
	// Issuer is the issuer identifier: a token's "iss" must equal it, byte for
	// byte. Required. Where Keys is nil it must be an https URL, or http on a
	// loopback address, at which the issuer's metadata is found.
	//
	// It may leave one whole path segment open, as in
	// "https://login.microsoftonline.com/{tenantid}/v2.0", for issuers that
	// have one identifier per tenant and the same keys for all. Then
	// TrustTenant says which values are trusted, and Keys is required.
	Issuer string

	// TrustTenant reports whether the issuer with this value in the open
	// segment of Issuer is trusted. Required where Issuer has one, and not
	// allowed where it has none. The sender of a token chooses the value, up to
	// 128 letters, digits, ".", "-" and "_"; it is called for each token and
	// must be quick. If it panics, the request cannot be decided.
	TrustTenant func(tenant string) bool

	// Audiences are the names of the API that the Verifier guards: a token's
	// "aud" must have one of them, byte for byte (RFC 7519 section 4.1.3).
	// Required, unless InsecureSkipAudience is set, or the Profile is [Cognito]
	// and ClientIDs are given.
	Audiences []string

	// InsecureSkipAudience accepts tokens whatever their "aud", and without
	// one. Every token of the issuer then opens this API, also those that it
	// issued for other APIs. Audiences must be empty.
	InsecureSkipAudience bool

	// KeySetURL is where the issuer's key set is, for issuers without metadata:
	// an https URL, or http on a loopback address. Empty means that it is
	// discovered. Not allowed beside Keys.
	KeySetURL string

	// KeyCache says how the issuer's keys are cached, and who is told of it:
	// its HTTP client, its times, its Observer and its Logger. Its Issuer and
	// URL must be empty, as Issuer and KeySetURL say those. Not allowed beside
	// Keys. The zero value is useful. [Verifier.KeyStats] tells what the cache
	// does.
	KeyCache jwks.Config

	// Keys finds the issuer's keys, in the place of KeySetURL and KeyCache: a
	// [*jwks.Cache] that is shared or has sources of its own, or a [*jwks.Set]
	// that never changes. Nil means that they are discovered from Issuer. It
	// must be the source of this issuer's keys alone: any key in it can sign
	// any token of the issuer. A jwks.Cache that was made for an issuer of
	// another name is refused, unless KeysOf names that.
	Keys KeySource

	// KeysOf is the issuer that Keys were made for, if that is not Issuer: for
	// one issuer with two names, such as one inside a cluster and one outside.
	// Empty means Issuer.
	KeysOf string

	// Profile is what kind of issuer it is: one word for the fields that
	// issuers of this kind need. Zero is none, and accepts what most issuers
	// put into an access token.
	Profile Profile

	// Algorithms are the signature algorithms that are accepted, out of RS256,
	// RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA and its
	// newer name Ed25519. Empty means all of them. Whatever is allowed here, a
	// token's algorithm must also fit the key that it names.
	Algorithms []string

	// Types are the values of the header parameter "typ" that are accepted,
	// without "application/" and without regard to case; "" stands for a token
	// that has none. Empty means at+jwt (RFC 9068 section 2.1), JWT and none,
	// which most issuers need; at+jwt alone keeps ID tokens out (RFC 8725
	// section 3.11).
	Types []string

	// RequiredClaims are the claims that a token must have besides "iss", "exp"
	// and "aud", none of them null or an empty string, array or object.
	// "scp|roles" asks for one of the two. A claim that differs in case alone
	// from one that is named here or below is refused.
	RequiredClaims []string

	// ForbiddenClaims are claims that only other kinds of token have, such as
	// an ID token. A token with one is refused. "at_hash", "c_hash" and
	// "s_hash", which an ID token has (OpenID Connect Core section 3.3.2.11),
	// are among them unless InsecureAllowIDTokens is set.
	ForbiddenClaims []string

	// InsecureAllowIDTokens accepts tokens with "at_hash", "c_hash" or
	// "s_hash". A user's ID token, which is meant for a client and not for an
	// API, then opens this one if its "aud" is right. Dex needs it: its access
	// tokens are made as its ID tokens are, for the client as the audience.
	InsecureAllowIDTokens bool

	// ClaimValues are the values that a claim must have one of, by the claim's
	// name: {"token_use": {"access"}}. A claim that is not a string is compared
	// by its JSON text, such as true. A token without the claim is refused.
	ClaimValues map[string][]string

	// ClientIDClaim is the claim that has the client, as [Claims.ClientID]
	// returns it. Empty means "client_id", or "azp" where there is none.
	ClientIDClaim string

	// ClientIDs are the clients whose tokens are accepted. Empty means all.
	ClientIDs []string

	// ScopeMap says which further scopes a scope implies, by exact name:
	// {"orders:admin": {"orders:read", "orders:write"}}. What is implied
	// implies more where the table says so. Nil means that a scope implies
	// nothing: there are no prefixes and no patterns.
	ScopeMap map[string][]string

	// PermissionClaims say where in this issuer's tokens it says what the
	// caller may do. Each is the name of a claim, or a path to what is inside
	// one:
	//
	//	roles                   the claim of that name
	//	realm_access.roles      a member inside, or the claim of that very name
	//	["https://a.b/c"].d     a name that holds more than letters, as JSON
	//	resource_access.*.roles every member, its name put before the values
	//	roles.@names            the names of the members, not their values
	//	grants[].scopes         every element of an array
	//	grants[*name].scopes    the same, its "name" put before the values
	//
	// A URL alone, such as https://api.example/roles, is the name of a claim.
	// At the end there must be a string or an array of strings, or else it
	// grants nothing; a string in the claim "scope" or "scp" is a list. Of
	// "@names" those grant nothing whose value is false, null, zero or empty.
	//
	// A name that is put before a value ends in a colon: of
	// "resource_access.*.roles" the role "admin" at "orders" is "orders:admin".
	// In the name itself ":" becomes "%3A" and "%" becomes "%25", so that no
	// other names and value of that path spell the same. Values of another path
	// may: do not combine it with one whose values can look like that. If such
	// values become more than 16 times as long as the claims, nothing is
	// granted.
	//
	// Empty means the profile's, or else that tokens grant no permissions. A
	// path that can match nothing, or be read in two ways, is an error.
	PermissionClaims []string

	// PermissionMap turns what PermissionClaims find, such as roles, into
	// permissions, by exact value, with the names before it. A value that it
	// does not list grants none. Nil means that the values are the permissions.
	PermissionMap map[string][]string

	// Leeway is how far the issuer's clock may be from ours, at "exp", "nbf"
	// and "iat" alike. Zero means 30 seconds, a negative value none. At most 5
	// minutes.
	Leeway time.Duration

	// MaxTokenAge is how long ago a token may have been issued, whatever its
	// "exp". The token must then have "iat". Zero means any time.
	MaxTokenAge time.Duration

	// MaxLifetime is how long a token may be valid in all, from "iat", which it
	// must then have, to "exp": it keeps out tokens that an issuer should never
	// have made. Zero means any time.
	MaxLifetime time.Duration

	// MaxTokens is how many verified tokens are remembered: to verify one again
	// costs about a microsecond. The issuer, the time, the key's presence, the
	// binding and Check are checked again each time. Tokens are not kept, but a
	// keyed hash of each, and its claims. Zero means 10,000, a negative value
	// none; at most 10 million.
	//
	// It bounds the memory as well, to 2 KiB for each of that many, and a token
	// takes the length of its claims and about 500 bytes. So 10,000 means
	// 10,000 tokens that take up to 2 KiB, about 5,000 that take 4 KiB, and
	// 1,250 that take 16 KiB; those that take more are verified each time.
	// Where tokens are large, multiply MaxTokens by what they take in 2 KiB.
	//
	// [Issuers] remember as many as the largest of their Configs ever said, and
	// [Tenants] as many as [TenantsConfig] says.
	MaxTokens int

	// MaxTokenSize is how long a token may be, in bytes: a token costs a sender
	// nothing and this API a look at each byte. Zero means 16 KiB, the length
	// of a header line that common servers take; at most 64 KiB. Of [Issuers]
	// the largest counts until the issuer of a token is known.
	MaxTokenSize int

	// Confirmers prove that a request's sender holds the key that its token is
	// bound to, each by one member of the claim "cnf" (RFC 7800). All members
	// of a token's "cnf" are proven, on each use of the token. A token with a
	// member that none of them proves is refused, and never taken as a plain
	// Bearer token: with no Confirmers every bound token is.
	Confirmers []Confirmer

	// Check is a check of your own, such as of a list of revoked tokens. It is
	// called for each request, and by [Recheck], after every other check of the
	// token has passed. Its error makes the token invalid; the client is told
	// only that, and the error is the refusal's cause for your logs. An error
	// that matches [ErrUnavailable] says that it cannot be decided, which is a
	// 503, and so does a panic. ctx ends after 5 seconds. It must be safe for
	// concurrent use.
	Check func(ctx context.Context, caller *Claims) error
}

const (
	defaultMaxTokens    = 10_000
	maxMaxTokens        = 10_000_000
	defaultMaxTokenSize = 16 << 10
	maxMaxTokenSize     = 64 << 10
	defaultLeeway       = 30 * time.Second
	maxLeeway           = 5 * time.Minute
)
