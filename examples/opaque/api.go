package opaque

import (
	"fmt"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/httpmw"
)

// Server is what the API knows of its authorization server.
type Server struct {
	Issuer, IntrospectionURL string
	// ClientID and Secret are the API's own.
	ClientID, Secret string
}

// New returns the API.
func New(server Server, audience string) (http.Handler, error) {
	opaque, err := introspection.New(introspection.Config{
		Endpoint: server.IntrospectionURL,
		Client:   introspection.Basic(server.ClientID, server.Secret),
		Accept:   claims.Config{Issuer: server.Issuer, Audiences: []string{audience}},
	})
	if err != nil {
		return nil, err
	}
	mux := httpmw.NewServeMux(httpmw.New(opaque, httpmw.Config{}))
	mux.HandleFunc("GET /photos", claims.Scopes("photos"), photos)
	mux.HandleFunc("DELETE /photos", claims.Scopes("photos", "openid"), photos)
	return mux, nil
}

func photos(w http.ResponseWriter, r *http.Request) {
	caller, _ := claims.FromContext(r.Context())
	fmt.Fprintln(w, "photos for", caller.ClientID())
}
