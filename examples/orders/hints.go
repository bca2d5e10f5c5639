package main

import "github.com/sallyport-go/sallyport/examples/internal/demo"

const newOrder = `-d '{"item":"cocoa","quantity":2}'`

// Greeting implements [demo.Service].
func (s *service) Greeting() string {
	g := s.servers.NewGreeting(s.issuers...)
	dev, url := s.servers.Dev, s.servers.URL("/orders")
	curl, grpcurl := demo.Curls(s.certFile)
	as := func(token string) string { return `-H "Authorization: Bearer $` + token + `" ` }
	if dev == nil {
		g.Hint("Put an access token that has the scope orders:read into $TOKEN. Then:")
	} else {
		g.HintDevIssuer()
		g.Hint("A token for a client that may only read:", "TOKEN="+demo.TokenFrom(dev, devReader))
	}
	g.Hint("Read the orders: 200", curl+as("TOKEN")+url)
	g.Hint("Read one over gRPC: its order",
		grpcurl+` -H "authorization: Bearer $TOKEN" -d '{"id":"1"}' `+
			s.servers.Target()+" orders.v1.Orders/GetOrder")
	g.Hint("Read without a token: 401", curl+url)
	g.Hint("Write without the scope orders:write: 403", curl+as("TOKEN")+newOrder+" "+url)
	if dev != nil {
		g.Hint("Write with a token for a client that may: 201",
			"ADMIN="+demo.TokenFrom(dev, devAdmin), curl+as("ADMIN")+newOrder+" "+url)
	}
	return g.String()
}
