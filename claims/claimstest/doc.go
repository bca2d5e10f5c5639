// Package claimstest is an OAuth 2.0 authorization server for tests: it issues
// real tokens, signed with real keys, over real HTTP.
//
//	issuer := claimstest.Start(t, claimstest.Config{})
//	verifier, err := claims.NewVerifier(claims.Config{
//		Issuer:    issuer.URL(),
//		Audiences: []string{claimstest.Audience},
//	})
//	token := issuer.Mint(claimstest.Token{Subject: "alice", Scope: "orders:read"})
//
// An [Issuer] serves OpenID Connect Discovery 1.0 and RFC 8414 metadata, a JSON
// Web Key Set (RFC 7517), and a token endpoint for the client credentials grant
// (RFC 6749 section 4.4). It mints tokens with any header, claims and
// algorithm, rotates and revokes keys, and through [Issuer.Intercept] is down,
// stalls or answers whatever a test wants it to.
//
// Its tokens are as RFC 9068 has them, or, by [Config].Profile, as those of
// Auth0, Cognito, Entra, Google, Hydra, Keycloak, Kubernetes or Okta are. A
// [Key] proves as a DPoP client does, and [Logger] keeps what the tested code
// logs with its test.
//
// [Start] listens on a loopback address until the test ends. Where there is no
// network, as in a testing/synctest bubble, [Issuer.Client] reaches an issuer
// made by [New] directly.
//
// It is not an authorization server for production: keys live in memory, and
// whoever holds an Issuer can mint anything.
package claimstest
