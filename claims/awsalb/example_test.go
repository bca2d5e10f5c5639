package awsalb_test

import (
	"fmt"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/awsalb"
	"github.com/sallyport-go/sallyport/httpmw"
)

// A service behind a load balancer that signs its users in.
func Example() {
	users, err := awsalb.New(awsalb.Config{
		LoadBalancers: []string{
			"arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188",
		},
		Claims: claims.Config{Issuer: "https://login.example", ClientIDs: []string{"web"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	auth := httpmw.New(users, httpmw.Config{From: httpmw.FromAWSALB()})
	fmt.Println(auth != nil)
	// Output: true
}
