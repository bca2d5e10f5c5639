package httpmw

import (
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// FromGoogleIAP returns the place where Google's Identity-Aware Proxy puts its
// assertion about the user: the field X-Goog-IAP-JWT-Assertion. The Verifier
// for it is that of
//
//	claims.Config{
//		Issuer:     "https://cloud.google.com/iap",
//		KeySetURL:  "https://www.gstatic.com/iap/verify/public_key-jwk",
//		Algorithms: []string{"ES256"},
//		Audiences:  []string{"/projects/NUMBER/global/backendServices/ID"},
//	}
//
// The signature is what is trusted, not the way that the request came. The
// audience must be that of this one backend service: with an assertion for
// another, of a stranger's project even, anybody could come in.
func FromGoogleIAP() Place { return FromHeader("X-Goog-IAP-JWT-Assertion", "") }

// FromCloudflareAccess returns the place where Cloudflare Access puts its
// assertion about the user: the field Cf-Access-Jwt-Assertion. The Verifier for
// it is that of
//
//	claims.Config{
//		Issuer:      "https://TEAM.cloudflareaccess.com",
//		KeySetURL:   "https://TEAM.cloudflareaccess.com/cdn-cgi/access/certs",
//		Audiences:   []string{"AUD tag of the application"},
//		ClaimValues: map[string][]string{"type": {"app"}},
//	}
//
// The audience tells the application from others of the team.
//
// A browser sends the same assertion as the cookie CF_Authorization, which is
// not looked at here: Cloudflare does not promise that it arrives. Where the
// field does not, because something on the way removes it, use [FromCookie]
// instead, never [OneOf] of both, as requests have both.
func FromCloudflareAccess() Place { return FromHeader("Cf-Access-Jwt-Assertion", "") }

// FromAWSALB returns the place where an AWS Application Load Balancer puts its
// assertion about the user: the field X-Amzn-Oidc-Data. It is no JWT that a
// Verifier takes: package claims/awsalb verifies it, and says what it checks,
// above all which load balancer signed it, as all that AWS runs in a region
// sign by the same keys.
//
// The load balancer also passes on the access token of the user's identity
// provider. A Verifier for that provider takes it from
// FromHeader("X-Amzn-Oidc-Accesstoken", "").
func FromAWSALB() Place { return Place{albWay{}} }

// albWay is the field, whose credential has a scheme of its own: its segments
// are padded, as those of no Bearer token are.
type albWay struct{}

const albField = "X-Amzn-Oidc-Data"

func (albWay) spots() []spot   { return []spot{{inHeader, albField}} }
func (albWay) validate() error { return nil }

func (albWay) take(r *http.Request) (claims.Credentials, error) {
	credentials, err := httpauth.ParseAs("", r.Header[albField])
	if err == nil {
		credentials.Scheme = "AWS-ALB" // awsalb.Scheme
	}
	return credentials, err
}
