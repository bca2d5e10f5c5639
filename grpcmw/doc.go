// Package grpcmw guards the methods of a gRPC server: it takes the access token
// out of a call's metadata, has it verified, and lets the call through or
// refuses it. Streams of every kind are checked before their handler runs, and end
// with their token: once it has expired their context is done and no message passes,
// in either direction. A handler that waits for a message is told when the next one
// comes; the server's keepalive policy (MaxConnectionAge) bounds how long a client that
// sends none can stay.
//
// A [Policy] says what each method needs. A method that it does not list is
// refused, and [Interceptor.Audit] names such methods when the server starts, with
// entries that are misspelt. [DeclaredPolicy] reads a Policy from options in .proto
// files, which find sallyport/v1/access.proto in the directory grpcmw/proto of this
// module; [Policy.Operations] is the part of a server in a [claims.AccessTable].
//
// The outcomes:
//
//	no token                Unauthenticated    challenge: Bearer realm, scope
//	malformed or repeated   Unauthenticated    … error="invalid_request"
//	bad token               Unauthenticated    … error="invalid_token"
//	authentication too weak Unauthenticated    … error="insufficient_user_authentication", acr_values, max_age
//	scope missing           PermissionDenied   … error="insufficient_scope", scope
//	not permitted, unlisted PermissionDenied   and no challenge
//	cannot decide           Unavailable        RetryInfo
//
// The token is taken from the "authorization" metadata, in the form of RFC 6750 section
// 2.1. The challenge is the "www-authenticate" trailer. The status has one fixed text
// for each reason, and an ErrorInfo detail whose reason is the [claims.Reason] in
// capitals and whose domain is that of [Config]; scope, acr_values and max_age are in
// its metadata too. Neither ever has the token, what the token says, or the text of an
// internal error.
package grpcmw
