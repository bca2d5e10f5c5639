package quickstart

import (
	"net/http"
	"testing"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

var policy = grpcmw.Policy{
	orderspb.Orders_GetOrder_FullMethodName:    claims.Scopes("orders:read"),
	orderspb.Orders_CreateOrder_FullMethodName: claims.Scopes("orders:write"),
}

var mux = func() *httpmw.ServeMux {
	issuer, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://orders.example"},
	})
	if err != nil {
		panic(err)
	}
	mux := httpmw.NewServeMux(httpmw.New(issuer, httpmw.Config{}))
	mux.Handle("GET /orders", claims.Scopes("orders:read"), http.NotFoundHandler())
	mux.Handle("POST /orders", claims.Scopes("orders:write"), http.NotFoundHandler())
	return mux
}()

func TestAccessTable(t *testing.T) {
	claimstest.CheckAccessTable(t, "testdata/access.md", claims.NewAccessTable(
		mux.Operations(), policy.Operations(),
	))
}
