// Package connectmw guards the procedures of a Connect server: callers of the
// Connect protocol, of gRPC and of gRPC-Web, unary and streams, each refused in
// the words of their own protocol. It is a module of its own, for
// connectrpc.com/connect v1.
//
//	auth, err := connectmw.New(verifier, connectmw.Config{Policy: connectmw.Policy{
//		ordersv1connect.OrdersGetOrderProcedure: claims.Scopes("orders:read"),
//	}})
//	// …
//	path, handler := ordersv1connect.NewOrdersHandler(orders, connect.WithInterceptors(auth))
//	mux.Handle(path, auth.Wrap(handler))
//
// An [Interceptor] decides, and a procedure without an entry in the [Policy] is
// refused. [Interceptor.Wrap] around the handlers has it decide before anything
// of the body is read, and know what only the HTTP request has: without it a
// caller without a token has their message read, decompressed and decoded
// first, tokens bound to a key are refused, and a handler that waits for a
// silent client is not woken when the token ends. What is wrapped and not
// intercepted is guarded too, but for what looks at messages.
//
// Put what answers preflights (CORS) outside Wrap, let it allow the fields of
// the protocols, and expose WWW-Authenticate.
//
// # Refusals
//
// The code is Unauthenticated, PermissionDenied or Unavailable, which over the
// Connect protocol are 401, 403 and 503. The message is one fixed text for each
// reason. An ErrorInfo detail has the reason in capitals, the domain of
// [Config], and in its metadata scope, acr_values, max_age and the challenge,
// as "www-authenticate". The challenge is a response header too. An Unavailable
// has a RetryInfo detail, and Retry-After or, for gRPC, grpc-retry-pushback-ms.
// A handler may return the error of [claims.Allowed], or any other that is or
// wraps a [*claims.Error]: the client is told the refusal.
//
// # The life of a stream
//
// When the caller's token stops being accepted, the context of a stream is done
// with the refusal as its cause, no message passes any more in either
// direction, and the client is told Unauthenticated once the handler has
// returned, whatever it returns. Wrapped, a Receive that waits is woken at
// once, and a Send to a client that does not read is broken off five seconds
// later, with the connection or the stream. While messages pass, it is asked
// once a second whether they still may, as [claims.Guard.Recheck] says.
//
// Only HTTP/2 has streams in both directions. grpcmw is the same for
// google.golang.org/grpc, and does not wait for the handler.
package connectmw
