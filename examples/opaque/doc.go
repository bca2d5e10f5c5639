// Package opaque shows opaque tokens from end to end, against an authorization
// server of its own test: github.com/ory/fosite, which Ory Hydra is made of. It
// is a module of its own, as that has many dependencies.
//
// The API is in api.go: a dozen lines that ask the server's introspection
// endpoint. The client, in the test, is golang.org/x/oauth2 as everybody has
// it: to a client an opaque token is any other.
package opaque
