// Package awsalb lets in the users whom an AWS Application Load Balancer has
// authenticated with OpenID Connect: it verifies the assertion that the load
// balancer adds to each request, X-Amzn-Oidc-Data. Choose it for a service
// behind such a load balancer that has nothing else to know its users by. Where
// the access token of their identity provider will do, X-Amzn-Oidc-Accesstoken,
// a [claims.Verifier] for the provider is the better choice, as that token says
// whom it is for.
//
//	users, err := awsalb.New(awsalb.Config{
//		LoadBalancers: []string{"arn:aws:elasticloadbalancing:…:loadbalancer/app/web/50dc6c495c0c9188"},
//		Claims: claims.Config{
//			Issuer:    "https://login.example",
//			ClientIDs: []string{"web"},
//		},
//	})
//	auth := httpmw.New(users, httpmw.Config{From: httpmw.FromAWSALB()})
//
// # What is checked
//
// The assertion is not quite a JWT: its segments are padded, and the keys are
// PEM, one for each key ID, at an address of the region that all customers of
// AWS share. So a good signature says that some load balancer of the region
// made it, anybody's. These checks say that it was yours, in this order:
//
//   - it has three segments of base64url, is at most 16 KiB, and its header
//     says ES256, and no "crit"
//   - "signer" is one of Config.LoadBalancers
//   - "client" is one of Config.Claims.ClientIDs
//   - "iss" of the header is Config.Claims.Issuer, and "exp" is not over
//   - the signature is by the key of "kid"
//   - and all that [claims.Examiner] asks of the claims, of which "exp" and
//     "sub" must be there
//
// # Keys
//
// A key is fetched when it is first named, by an assertion that has passed all
// checks before that of the signature, and kept. What is fetched for a key ID
// that turns out to be none is bounded: five at once, then one in five seconds.
// A stranger who gets round the load balancer, and makes up key IDs, can
// thereby delay the first use of a new key. Let nothing but the load balancer
// reach the service, as AWS advises.
package awsalb
