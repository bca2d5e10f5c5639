// Package grpcmw guards the methods of a gRPC server: it takes the access token
// out of a call's metadata, has it verified, and lets the call through or
// refuses it. Streams of every kind are checked before their handler runs, and
// end with their token.
//
// A [Policy] says what each method needs. A method that it does not list is
// refused, and [Interceptor.Audit] names such methods when the server starts,
// with entries that are misspelt. [DeclaredPolicy] reads a Policy from options
// in .proto files, which find sallyport/v1/access.proto in the directory
// grpcmw/proto of this module; [Policy.Operations] is the part of a server in a
// [claims.AccessTable].
//
// # Refusals
//
// The outcomes:
//
//	no token                 Unauthenticated   challenge: Bearer realm, scope
//	malformed or repeated    Unauthenticated   … error="invalid_request"
//	bad token                Unauthenticated   … error="invalid_token"
//	authentication too weak  Unauthenticated   … acr_values, max_age and
//	                           error="insufficient_user_authentication"
//	scope missing            PermissionDenied  … error="insufficient_scope"
//	not permitted, unlisted  PermissionDenied  no challenge: no token would help
//	cannot decide            Unavailable       no challenge, but RetryInfo and
//	                           grpc-retry-pushback-ms (gRFC A6)
//
// The token is taken from the "authorization" metadata, in the form of RFC 6750
// section 2.1, unless [Config.From] names another [Place] for it. The status
// has one fixed text for each reason, and an ErrorInfo detail whose reason is
// the [claims.Reason] in capitals and whose domain is that of [Config]. Its
// metadata has scope, acr_values and max_age, and the challenge as
// "www-authenticate", which arrives whatever is on the way. The challenge is a
// response header of that name too, if the headers have not been sent. It is
// never a trailer, as RFC 9110 section 6.5.1 forbids. No part of this ever has
// the token, what the token says, or the text of an internal error.
//
// Further credentials stand in metadata of their own ([Config.Second]); a
// refusal of one has a challenge whose scheme is its name, as is "credential"
// in ErrorInfo, and none of the first. A caller without any passes where a
// method is [claims.Optional].
//
// A method, unary or stream, may return the error of [claims.Allowed], or any
// other that is or wraps a [*claims.Error]: the client is told the refusal.
//
// # The life of a stream
//
// A stream ends when its handler returns, and at the latest when the caller's
// token stops being accepted ([claims.Claims.ValidUntil]) or is revoked
// ([Config].Revocations), within a second of the news. At that time the context
// of the stream is done, [context.Cause] of it is a [*claims.Error] with
// [claims.ReasonExpired] or [claims.ReasonRevoked], no message passes any more
// in either direction, and the client is told Unauthenticated, wherever the
// handler is: waiting for a silent client, for one that does not read, or for
// something else. The observer is told too. Whatever the handler returns from
// then on is dropped. A client that does not read learns of the end once it has
// read what was sent before. A method of [claims.MayOutlive] goes on after its
// token, but not after the news. By [claims.Renew] a stream goes on with a
// fresh token. The page claims/lasting.md has all that lasts side by side.
//
// A stream also ends if its caller may not go on: if the token's issuer is no
// longer trusted, its key is gone, [claims.Config].Check refuses it, or the
// requirement is not met any more, as a permission was taken away or the
// authentication is older than [claims.MaxAge] allows. When a message passes,
// and a second has gone by since it was asked last, that is asked again, by
// [claims.Guard.Recheck]; the message waits for the answer, as a request does.
// So a stream without messages is not asked about, and what is said by
// [claims.Issuers.Remove], [claims.Tenants.Forget] or
// [claims.PermissionCache.Forget] reaches the others within a second. If the
// answer is no, that message does not pass, the context is done with the
// refusal as its cause, the client is told its status, and the observer of it.
// If there is no answer, as in an outage of the issuer or of a permission
// source, the stream goes on, nobody is told, and it is asked again a second
// later. What looks at the first message, [claims.RequestFunc], is not asked
// again, since the handler may receive the next into the same; a [claims.Func]
// is. For what must be asked more often, call [claims.Recheck].
//
// The handler should return once its context is done. If it goes on, the calls
// of its stream return the refusal and do nothing; nobody waits for the
// handler, GracefulStop included, and the server's limit of streams does not
// count it. What it uses is its own to release. What it panics with then is
// logged, as nobody is left to recover it; what it panics with before reaches
// interceptors outside as an error that has the handler's stack and wraps what
// was an error.
//
// For this the handler runs in a goroutine of its own, about five microseconds
// a stream with all else; a message costs about a tenth of one
// (BenchmarkStream). A call that was blocked in a stream comes back when the
// call ends, which is after the interceptors outside have returned: as with any
// handler that leaves a goroutine behind, what they keep of a stream must be
// safe for that. Streams of public methods run as without a guard, and handlers
// of those whose token has no end on the goroutine of the call.
//
// grpc.Server.ServeHTTP cannot interrupt a write to a client that does not
// read: there, set the timeouts of the http.Server.
package grpcmw
