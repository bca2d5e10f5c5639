// Package relay passes the token of a request's caller on to another service,
// or one that it is exchanged for (RFC 8693), so that the other service sees
// who asks.
//
// Choose it where the other service decides by the caller and not by you.
// Exchange where you can: the token that the caller has sent is for you, and
// says so in "aud", so the other service must accept tokens for others; and it
// could pass the token on as well, to you for one (RFC 8707 section 1). Who
// needs no caller there uses a token of their own, such as that of package
// golang.org/x/oauth2/clientcredentials.
//
//	to, err := relay.New(relay.Config{
//		Hosts:    []string{"billing.example"},
//		Exchange: &relay.Exchange{TokenURL: "https://issuer.example/token", …},
//	})
//	client := &http.Client{Transport: to.Transport(nil)}
//	…
//	req, err := http.NewRequestWithContext(r.Context(), "GET", "https://billing.example/", nil)
//	resp, err := client.Do(req)
//
// For gRPC it is grpcmw.RelayCredentials(to). The transport in front of the
// handler has to keep the token: httpmw.Config.KeepToken or
// grpcmw.Config.KeepToken.
//
// # What goes where
//
// The token goes to the hosts of [Config].Hosts alone, over TLS, and a request
// to any other is an error: also one that a redirect leads to. Nothing else of
// the caller's request goes with it. Errors have no token.
//
// A token that is bound to a key (RFC 7800) is not passed on, as the other
// service could not have its possession proven; it can be exchanged.
//
// # Exchanged tokens
//
// A token is exchanged once and what it was exchanged for used until a little
// before it expires, or the caller's own token does. Many requests of one
// caller at a time ask once. No more than [Exchange].MaxTokens are remembered,
// under hashes of the callers' tokens; the least recently used is evicted.
package relay
