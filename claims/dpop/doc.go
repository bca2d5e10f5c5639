// Package dpop proves that the sender of a request holds the key that their
// token is bound to, by a proof that they sign for each request (RFC 9449).
package dpop
