// Package dpop proves that the sender of a request holds the key that their
// token is bound to, by a proof that they sign for each request (RFC 9449): a
// token that was stolen without the key opens nothing.
//
//	proofs, err := dpop.New(dpop.Config{BaseURL: "https://api.example"})
//	verifier, err := claims.NewVerifier(claims.Config{
//		Issuer: issuer, Audiences: audiences, Confirmers: []claims.Confirmer{proofs},
//	})
//
// That is all: the transports find the proof and write the challenges. Tokens
// that are not bound still pass as Bearer; where none may, say
// RequiredClaims: []string{"cnf"} in the claims.Config.
//
// # When to choose it
//
// Choose DPoP where clients can sign and cannot have certificates: in browsers,
// on phones, behind proxies that end TLS. Choose package mtls where both ends
// are services that have certificates anyway: it costs nothing for each
// request, and needs no memory of proofs. Both at once work, and a token may be
// bound both ways.
//
// A proof costs about what a second signature check does, and a look into a
// [ReplayStore]. Replicas must share one, or a proof that somebody has seen
// passes once at each.
//
// # What is checked
//
// All of RFC 9449 section 4.3, in this order: there is one proof; typ, alg and
// jwk; that jwk is public and the key that the token's "cnf" names; htm and
// htu; ath; the nonce, or else iat; the signature; and last, that the key has
// not used this jti before. htu is compared as RFC 3986 sections 6.2.2 and
// 6.2.3 have it, without query and fragment. With [Config].RequireNonce, the
// nonce says when a proof was made, and iat does not count: clocks of clients
// may be wrong then.
//
// Over gRPC htm is POST, and htu the URL of the method, such as
// https://api.example/orders.v1.Orders/GetOrder. Each call has a proof of its
// own; a stream has one, when it is opened.
//
// A token under the wrong scheme, a proof that is wrong and a nonce that is
// missing are refused with 401 and what the client needs to do better: the
// error invalid_token, invalid_dpop_proof or use_dpop_nonce, the algorithms,
// the nonce in the field DPoP-Nonce. Browsers see that field only if
// Access-Control-Expose-Headers lists it. While the ReplayStore does not
// answer, it cannot be decided about tokens that are bound: 503. Others are not
// affected.
package dpop
