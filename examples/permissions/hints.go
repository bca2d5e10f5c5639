package main

import "github.com/sallyport-go/sallyport/examples/internal/demo"

// Greeting implements [demo.Service].
func (s *service) Greeting() string {
	if s.servers.Dev == nil {
		return s.servers.NewGreeting(s.options.issuer).String()
	}
	g := s.servers.NewGreeting(s.servers.Dev.URL())
	g.HintDevIssuer()
	s.hint(g)
	return g.String()
}

// hint adds what the clients of the development issuer can do.
func (s *service) hint(g *demo.Greeting) {
	dev, url := s.servers.Dev, s.servers.URL
	as := func(token string) string { return `-H "Authorization: Bearer $` + token + `" ` }
	berlin, paris := url("/workspaces/berlin/orders"), url("/workspaces/paris/orders")
	grant := url("/workspaces/paris/grants/" + devShop.ID + "/" + readOrders)

	g.Hint("Tokens for a shop, which may read and write orders in the workspace berlin,\n"+
		"and for the head office, which may do everything everywhere:",
		"SHOP="+demo.TokenFrom(dev, devShop), "OFFICE="+demo.TokenFrom(dev, devOffice))
	g.Hint("The shop reads its orders: 200", "curl -i "+as("SHOP")+berlin)
	g.Hint("The office sees margins too: 200", "curl -i "+as("OFFICE")+berlin)
	g.Hint("The shop may not read elsewhere: 403", "curl -i "+as("SHOP")+paris)
	g.Hint("Now it may: 204", "curl -i -X PUT "+as("OFFICE")+grant)
	g.Hint("At once: 200", "curl -i "+as("SHOP")+paris)
	g.Hint("And no more: 204", "curl -i -X DELETE "+as("OFFICE")+grant)
	g.Hint("At once: 403", "curl -i "+as("SHOP")+paris)
	g.Hint("GraphQL shows the shop what it may see: its workspace without margins: 200",
		"curl -i "+as("SHOP")+`-d '{"query":"{workspaces{name orders{item marginCents}}}"}' `+
			url("/graphql"))
	g.Hint("The same orders over gRPC:", demo.GRPCurl+
		` -H "authorization: Bearer $SHOP" -d '{"workspace":"berlin"}' `+
		s.servers.Target()+" permissions.v1.Orders/ListOrders")
}
