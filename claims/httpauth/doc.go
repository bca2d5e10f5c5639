// Package httpauth is the grammar that the transports share (RFC 9110 section
// 11, RFC 6750): what an Authorization field holds, and what a WWW-Authenticate
// field answers, for any authentication scheme. It decides nothing.
//
// Who guards net/http handlers or gRPC methods needs none of it: httpmw and
// grpcmw do. It is for whoever writes a transport of their own:
//
//	credentials, fault := httpauth.Parse(r.Header["Authorization"])
//	// decide by a claims.Guard, and if it refuses:
//	if field := challenge.Field(refusal); field != "" {
//		w.Header().Add("WWW-Authenticate", field)
//	}
package httpauth
