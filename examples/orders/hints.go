package main

import (
	"fmt"
	"net"
	"strings"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

const (
	grpcurl  = "go run github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4 -plaintext"
	newOrder = `-d '{"item":"cocoa","quantity":2}'`
)

// greeting is what is printed once the service listens: a line that begins with
// "ready ", for scripts, and commands to paste into a POSIX shell, for people.
func (s *service) greeting() string {
	var b strings.Builder
	fmt.Fprintf(&b, "ready http=%s grpc=%s", s.httpOn.Addr(), s.grpcOn.Addr())
	for _, issuer := range s.issuers {
		fmt.Fprintf(&b, " issuer=%s", issuer)
	}
	b.WriteString("\n")
	hint := func(about string, commands ...string) {
		fmt.Fprintf(&b, "\n%s\n", about)
		for _, command := range commands {
			fmt.Fprintf(&b, "  %s\n", command)
		}
	}

	url := quote("http://" + dialable(s.httpOn) + "/orders")
	if s.dev == nil {
		hint("Put an access token that has the scope orders:read into $TOKEN. Then:")
	} else {
		hint("The issuer is for development only: its secrets are printed here, and a\n" +
			"restart makes it forget its keys. Paste in this order.")
		hint("A token for a client that may only read:", "TOKEN="+tokenFrom(s.dev, devReader))
	}
	hint("Read the orders: 200", `curl -i -H "Authorization: Bearer $TOKEN" `+url)
	hint("Read one over gRPC: its order",
		grpcurl+` -H "authorization: Bearer $TOKEN" -d '{"id":"1"}' `+
			quote(dialable(s.grpcOn))+" orders.v1.Orders/GetOrder")
	hint("Read without a token: 401", "curl -i "+url)
	hint("Write without the scope orders:write: 403",
		`curl -i -H "Authorization: Bearer $TOKEN" `+newOrder+" "+url)
	if s.dev != nil {
		hint("Write with a token for a client that may: 201", "ADMIN="+tokenFrom(s.dev, devAdmin),
			`curl -i -H "Authorization: Bearer $ADMIN" `+newOrder+" "+url)
	}
	b.WriteString("\nCtrl-C stops it.\n")
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
