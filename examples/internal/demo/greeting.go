package demo

import (
	"fmt"
	"net"
	"strings"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// GRPCurl is a command that calls a gRPC API without TLS.
const GRPCurl = grpcurl + " -plaintext"

const grpcurl = "go run github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4"

// Curls returns the commands that call the HTTP API, and the gRPC API, of a
// service that shows the certificate in a file, or none if that is empty.
func Curls(certFile string) (http, grpc string) {
	if certFile == "" {
		return "curl -i ", GRPCurl
	}
	file := "'" + strings.ReplaceAll(certFile, "'", `'\''`) + "'"
	return "curl -i --cacert " + file + " ", grpcurl + " -cacert " + file
}

// Greeting is what a service prints once it listens: a line that begins with
// "ready ", for scripts, and commands to paste into a POSIX shell, for people.
type Greeting struct{ text strings.Builder }

// NewGreeting returns one with the line for scripts.
func (s *Servers) NewGreeting(issuers ...string) *Greeting {
	var g Greeting
	fmt.Fprintf(&g.text, "ready http=%s grpc=%s", s.httpOn.Addr(), s.grpcOn.Addr())
	for _, issuer := range issuers {
		fmt.Fprintf(&g.text, " issuer=%s", issuer)
	}
	g.text.WriteString("\n")
	return &g
}

// Hint adds commands and what they are about.
func (g *Greeting) Hint(about string, commands ...string) {
	fmt.Fprintf(&g.text, "\n%s\n", about)
	for _, command := range commands {
		fmt.Fprintf(&g.text, "  %s\n", command)
	}
}

// HintDevIssuer says what the commands with a development issuer are.
func (g *Greeting) HintDevIssuer() {
	g.Hint("The issuer is for development only: its secrets are printed here, and a\n" +
		"restart makes it forget its keys. Paste in this order.")
}

func (g *Greeting) String() string { return g.text.String() + "\nCtrl-C stops it.\n" }

// TokenFrom is a command substitution that gets the client a token.
func TokenFrom(issuer *claimstest.Issuer, client claimstest.Client) string {
	return fmt.Sprintf(`$(curl -sS -u %s:%s -d grant_type=client_credentials %s |`+
		` sed -n 's/.*"access_token":"\([^"]*\)".*/\1/p')`,
		client.ID, client.Secret, quote(issuer.TokenURL()))
}

// URL is that of a path of the HTTP API, for a shell on this machine.
func (s *Servers) URL(path string) string {
	scheme := "http://"
	if s.HTTP != nil && s.HTTP.TLSConfig != nil {
		scheme = "https://"
	}
	return quote(scheme + dialable(s.httpOn) + path)
}

// Target is the address of the gRPC API, for a shell on this machine.
func (s *Servers) Target() string { return quote(dialable(s.grpcOn)) }

// dialable is the address at which this machine reaches the listener.
func dialable(listener net.Listener) string {
	addr := listener.Addr().(*net.TCPAddr)
	if addr.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", addr.Port)
	}
	return addr.String()
}

// quote keeps a shell from reading the brackets of an IPv6 address as a
// pattern.
func quote(s string) string {
	if strings.ContainsAny(s, "[]%") {
		return "'" + s + "'"
	}
	return s
}
