// Command mcp is an MCP server on the official Go SDK whose tools, resources
// and prompt each need a scope of their own. Clients find out from its refusals
// where to get a token and for what (RFC 9728).
//
//	mcp [-listen ADDR] [-resource URL] [-issuer URL]
//
// Without -issuer it starts one of its own, for development.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8090", "the address of the server")
	resource := flag.String("resource", "", "the URL of /mcp, which tokens are meant for")
	issuer := flag.String("issuer", "", "the trusted issuer")
	flag.Parse()
	if *resource == "" {
		*resource = "http://" + *listen + "/mcp"
	}
	if *issuer == "" {
		var err error
		if *issuer, err = startIssuer(*resource); err != nil {
			log.Fatal(err)
		}
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: *issuer, Audiences: []string{*resource}, ScopeMap: scopeMap,
	})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := newHandler(verifier, *resource, claims.LogDecisions(nil))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(os.Stdout, "ready %s issuer=%s\n", *resource, *issuer)
	server := &http.Server{
		Addr: *listen, Handler: handler,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
	}
	log.Fatal(server.ListenAndServe())
}

// startIssuer starts an issuer for development, with one client.
func startIssuer(audience string) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	issuer, err := claimstest.New(claimstest.Config{
		URL: "http://" + listener.Addr().String(), Audience: audience,
		Clients: []claimstest.Client{{
			ID: "agent", Secret: "secret",
			Scopes: []string{"orders:use", "orders:read", "orders:delete"},
		}},
	})
	if err != nil {
		return "", err
	}
	go func() { log.Fatal(http.Serve(listener, withPKCE(issuer))) }()
	return issuer.URL(), nil
}

// withPKCE has the metadata of an issuer say that it supports PKCE, as clients
// of the SDK want it of every issuer, whatever grant they use.
func withPKCE(issuer *claimstest.Issuer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/.well-known/") {
			issuer.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		issuer.ServeHTTP(answer, r)
		var metadata map[string]any
		if json.Unmarshal(answer.Body.Bytes(), &metadata) == nil {
			metadata["code_challenge_methods_supported"] = []string{"S256"}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(answer.Code)
		_ = json.NewEncoder(w).Encode(metadata)
	})
}
