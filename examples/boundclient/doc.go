// Package boundclient is what a client does whose access tokens are bound to a
// key: by DPoP (RFC 9449) over HTTP and gRPC, or by its certificate (RFC 8705).
// It stands on golang.org/x/oauth2 and grpc, and is there to be copied.
//
// DPoP, with tokens of the client credentials grant:
//
//	key, err := boundclient.NewKey()
//	tokens := &clientcredentials.Config{ClientID: id, ClientSecret: secret, TokenURL: url}
//	asking := &http.Client{Transport: &boundclient.Transport{Key: key}}
//	source := tokens.TokenSource(context.WithValue(ctx, oauth2.HTTPClient, asking))
//	client := &http.Client{Transport: &boundclient.Transport{Key: key, Source: source}}
//
// A server that wants a nonce refuses the first request and says which; the
// request is sent again with it, once: whatever the second answer is, it is the
// answer.
package boundclient
