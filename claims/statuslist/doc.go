// Package statuslist refuses tokens that their issuer has marked as ended in a
// Token Status List (draft-ietf-oauth-status-list): a list of one to eight bits
// for each token, signed and published under a URL, where a token has its place
// in the claim "status".
//
//	lists, err := statuslist.New(statuslist.Config{Issuers: []statuslist.Issuer{{
//		Issuer:   "https://login.example.com",
//		Prefixes: []string{"https://login.example.com/statuslists/"},
//	}}})
//	verifier, err := claims.NewVerifier(claims.Config{
//		Issuer: "https://login.example.com", Audiences: …, Check: lists.Check,
//	})
//
// Choose it where the issuer publishes such lists, as those of wallets and
// credentials do. It asks for news, once in the time that the list says, mostly
// some minutes; what tells of news within the second is claims/revocation,
// which costs less on each request too.
//
// A list is fetched when a token first names it, by one request however many
// wait for it, and again ahead of its time while it is used. It is verified by
// the keys of the issuer. Only URLs below the configured prefixes are ever
// fetched. What a list takes is bounded, compressed and not. A token whose list
// cannot be had cannot be decided about.
package statuslist
