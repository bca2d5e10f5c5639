package mcpmw_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/httpmw/mcpmw"
)

func Example() {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    "https://issuer.example",
		Audiences: []string{"https://api.example/mcp"},
	})
	if err != nil {
		log.Fatal(err)
	}
	auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example/mcp"})
	policy := mcpmw.Housekeeping(claims.Authenticated())
	policy["tools/call list_orders"] = claims.Scopes("orders:read")
	policy["tools/call delete_order"] = claims.Scopes("orders:delete")
	guard, err := mcpmw.New(auth, mcpmw.Config{Policy: policy})
	if err != nil {
		log.Fatal(err)
	}
	server := http.NotFoundHandler() // that of the SDK
	metadata := auth.Metadata(httpmw.MetadataConfig{Operations: policy.Operations()})
	mux := http.NewServeMux()
	mux.Handle("/mcp", guard.Wrap(server))
	mux.Handle(metadata.Path(), metadata)

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("POST", "/mcp", strings.NewReader(
		`{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "delete_order"}}`)))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	// Output:
	// 401 Bearer realm="api", resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp", scope="orders:delete"
}
