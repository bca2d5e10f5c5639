// Package httpmw guards net/http handlers: it takes the access token out of a
// request, has it verified, and serves the request or refuses it.
//
// A token is taken from the Authorization field alone (RFC 6750 section 2.1),
// unless [Config.From] names another [Place] for it: another field
// ([FromHeader]), the assertion of a proxy ([FromGoogleIAP],
// [FromCloudflareAccess], [FromAWSALB]), a cookie ([FromCookie]), the
// subprotocol of a WebSocket ([FromWebSocketProtocol]), a form ([FromForm]), or
// one of several ([OneOf]). The outcomes:
//
//	no token, or a scheme alone 401  WWW-Authenticate: Bearer realm, scope
//	malformed, or several       400  … error="invalid_request"
//	bad token                   401  … error="invalid_token", scope
//	authentication too weak     401  … error="insufficient_user_authentication",
//	                                 scope, acr_values, max_age
//	scope missing               403  … error="insufficient_scope", scope
//	not permitted, or a cookie  403  and no challenge: no other token would help
//	  from another origin
//	cannot decide               503  Retry-After
//
// Further credentials stand in places of their own ([Config.Second]); a refusal
// of one has a challenge whose scheme is its name, and none of the first. A
// client without any passes where a route is [claims.Optional].
//
// The body is a problem document (RFC 9457), plain JSON or plain text as the
// client's Accept field has it, or what [Config.Body] makes: a [Problem] with
// title, status, detail, and reason, one of the [claims.Reason] words. Neither
// it nor the challenge ever has the token, what the token says, or the text of
// an internal error.
//
// [NewServeMux] makes a mux on which every route says what it needs.
// [Middleware.Require] and [Middleware.Wrap] are middleware of the usual form
// for any other router, and an [Audit] finds the routes there that nobody put
// it before. [Middleware.Admit] decides and writes nothing, for a framework
// that has handlers of another form. [ServeMux.Operations] and
// [Audit.Operations] are the part of a server in a [claims.AccessTable].
//
// [Config].Resource is the URL by which clients know what is protected.
// Challenges then say where its metadata are, and [ServeMux.HandleMetadata]
// serves them: the issuers, and the scopes that the routes need (RFC 9728).
//
// A handler that goes on for long, such as one that sends events, asks
// [claims.Recheck] whether its caller still may: the end of the token ends no
// request.
//
// Middleware that compresses, traces or counts belongs before the guard: a
// refusal keeps what it has said in the header, and the pattern that a router
// behind the guard has found shows in its request. So does CORS, which answers
// preflights, as these have no token, and lets pages read refusals: let it
// expose WWW-Authenticate. A middleware before the guard that also takes
// another scheme adds its challenge to the header, and the guard's goes beside
// it.
//
// The page frameworks.md has what stands beside it: routers, gRPC, Connect,
// MCP, tracing, proxies, each with a test.
//
// Most programs need [New], [NewServeMux], [ServeMux.Handle] and
// [Middleware.Refuse]. Importing this package links no gRPC.
package httpmw
