package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	main "github.com/sallyport-go/sallyport/examples/orders"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

const (
	audience = "https://orders.example"

	// nearlyOver is the lifetime of a token that has expired but is accepted
	// for three or four seconds more: the leeway is 30.
	nearlyOver = -26 * time.Second
)

// demo is a service that runs in this process, on ports of its own.
type demo struct{ *demotest.Service }

// start starts a service, until the test ends at the latest.
func start(t *testing.T, flags ...string) demo {
	t.Helper()
	var d demo
	t.Cleanup(func() { // comes after it has stopped
		if d.Service != nil {
			for line := range strings.Lines(d.Log()) {
				assert.Regexp(t, `msg="(access decision|revocation: news)"`, line)
				assert.NotContains(t, line, "eyJ", "a token")
			}
		}
	})
	d.Service = demotest.Start(t, main.Run, flags...)
	return d
}

// startIssuer starts an issuer that can mint any token for the service.
func startIssuer(t *testing.T) *claimstest.Issuer {
	t.Helper()
	return claimstest.Start(t, claimstest.Config{Audience: audience})
}

// orders returns a client of the gRPC API.
func (d demo) orders(t *testing.T) orderspb.OrdersClient {
	t.Helper()
	return orderspb.NewOrdersClient(d.Dial(t))
}

// call sends a request with the token, unless that is empty.
func (d demo) call(t *testing.T, method, path, token, body string) demotest.Answer {
	t.Helper()
	return demotest.Send(t, http.DefaultClient, d.request(t, method, path, token, body))
}

func (d demo) request(t *testing.T, method, path, token, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(
		demotest.Bounded(t), method, d.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}
