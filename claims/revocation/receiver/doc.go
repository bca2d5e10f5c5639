// Package receiver takes the news that somebody's access has ended, from those
// who know it first, to the table that ends it here ([revocation.Table]): three
// http.Handlers of net/http, each by a specification of its own.
//
//	NewLogout   OpenID Connect Back-Channel Logout 1.0: an authorization server
//	            tells that a user has logged out. Keycloak, Entra, Okta, Auth0,
//	            Hydra and Authentik send it. Choose it first.
//	NewEvents   OpenID Shared Signals Framework 1.0, pushed as RFC 8935 has it,
//	            with the events of CAEP 1.0 and RISC 1.0: a session was revoked,
//	            a credential or claim changed, an account was disabled.
//	NewGlobal   Global Token Revocation (draft-parecki): an identity provider or
//	            an incident tool names one user, with an access token that your
//	            own middleware verifies.
//
//	table := revocation.NewTable(revocation.Config{})
//	logout, err := receiver.NewLogout(table, receiver.LogoutConfig{
//		Senders: []receiver.Sender{{
//			Issuer:    "https://login.example.com",
//			Audiences: []string{"my-client-id"},
//		}},
//	})
//	mux.Handle("POST /backchannel-logout", logout)
//
// The first two are public routes: whoever sends proves by a signature who they
// are, and a token of news opens nothing else, as an access token opens none of
// these: package claims refuses what has "events". What they take is bounded,
// and only what has verified is remembered, logged or acted on. Each piece of
// news is taken once, by its "jti"; it ends what was issued until the moment it
// tells of, so that one that comes late or twice does no further harm.
//
// Call [revocation.Table] yourself for news from anywhere else.
package receiver
