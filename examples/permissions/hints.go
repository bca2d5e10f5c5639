package main

import (
	"fmt"
	"net"
	"strings"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const grpcurl = "go run github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4 -plaintext"

// greeting is what is printed once the service listens: a line that begins with
// "ready ", for scripts, and commands to paste into a POSIX shell, for people.
func (s *service) greeting() string {
	var b strings.Builder
	issuer := s.options.issuer
	if s.dev != nil {
		issuer = s.dev.URL()
	}
	fmt.Fprintf(&b, "ready http=%s grpc=%s issuer=%s\n", s.httpOn.Addr(), s.grpcOn.Addr(), issuer)
	if s.dev != nil {
		fmt.Fprint(&b, s.hints())
	}
	b.WriteString("\nCtrl-C stops it.\n")
	return b.String()
}

func (s *service) hints() string {
	var b strings.Builder
	hint := func(about string, commands ...string) {
		fmt.Fprintf(&b, "\n%s\n", about)
		for _, command := range commands {
			fmt.Fprintf(&b, "  %s\n", command)
		}
	}
	url := "http://" + dialable(s.httpOn)
	path := func(path string) string { return quote(url + path) }
	as := func(token string) string { return `-H "Authorization: Bearer $` + token + `"` }

	hint("The issuer is for development only: its secrets are printed here, and a\n" +
		"restart makes it forget its keys. Paste in this order.")
	hint("Tokens for a shop, which may read and write orders in the workspace berlin,\n"+
		"and for the head office, which may do everything everywhere:",
		"SHOP="+tokenFrom(s.dev, devShop), "OFFICE="+tokenFrom(s.dev, devOffice))
	hint("The shop reads its orders: 200", "curl -i "+as("SHOP")+" "+path("/workspaces/berlin/orders"))
	hint("The office sees margins too: 200",
		"curl -i "+as("OFFICE")+" "+path("/workspaces/berlin/orders"))
	hint("The shop may not read elsewhere: 403",
		"curl -i "+as("SHOP")+" "+path("/workspaces/paris/orders"))
	hint("Now it may: 204", "curl -i -X PUT "+as("OFFICE")+" "+
		path("/workspaces/paris/grants/"+devShop.ID+"/"+readOrders))
	hint("At once: 200", "curl -i "+as("SHOP")+" "+path("/workspaces/paris/orders"))
	hint("And no more: 204", "curl -i -X DELETE "+as("OFFICE")+" "+
		path("/workspaces/paris/grants/"+devShop.ID+"/"+readOrders))
	hint("At once: 403", "curl -i "+as("SHOP")+" "+path("/workspaces/paris/orders"))
	hint("GraphQL shows the shop what it may see: its workspace without margins: 200",
		"curl -i "+as("SHOP")+` -d '{"query":"{workspaces{name orders{item marginCents}}}"}' `+
			path("/graphql"))
	hint("The same orders over gRPC:", grpcurl+` -H "authorization: Bearer $SHOP"`+
		` -d '{"workspace":"berlin"}' `+quote(dialable(s.grpcOn))+" permissions.v1.Orders/ListOrders")
	return b.String()
}

// tokenFrom is a command substitution that gets the client a token.
func tokenFrom(issuer *claimstest.Issuer, client claimstest.Client) string {
	return fmt.Sprintf(`$(curl -sS -u %s:%s -d grant_type=client_credentials %s |`+
		` sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')`,
		client.ID, client.Secret, quote(issuer.TokenURL()))
}

// dialable is the address at which this machine reaches the listener.
func dialable(listener net.Listener) string {
	addr := listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", addr.Port)
	}
	return addr.String()
}

// quote keeps a shell from reading the brackets of an IPv6 address as a pattern.
func quote(s string) string {
	if strings.ContainsAny(s, "[]%") {
		return "'" + s + "'"
	}
	return s
}
