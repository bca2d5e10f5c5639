package main

import (
	"context"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/httpmw"
)

// accountTable says what accounts may do, by client ID: what the platform keeps
// in its database.
type accountTable map[string][]string

// Permissions implements [claims.PermissionSource].
func (t accountTable) Permissions(_ context.Context, who claims.Principal) (claims.Grants, error) {
	return claims.Grants{Permissions: t[who.ClientID]}, nil
}

// newAPI returns the API. The observer may be nil.
func newAPI(issuer string, accounts accountTable, observer claims.Observer) (http.Handler, error) {
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer:    issuer,
		Audiences: []string{audience},
		Profile:   claims.RFC9068,
		// "Tokens are verified by the API on every call": the signature too.
		// Leave it out, and one that was verified is remembered.
		MaxTokens: -1,
	})
	if err != nil {
		return nil, err
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{
		Permissions: accounts, Observer: observer,
	}))
	mux.HandleFunc("GET /v1/shipments", claims.Permissions("shipments:read"), list)
	mux.HandleFunc("POST /v1/shipments", claims.Permissions("shipments:create"), create)
	return mux, nil
}

func list(w http.ResponseWriter, _ *http.Request) {
	demo.WriteJSON(w, http.StatusOK, []string{"tea", "coffee"})
}

func create(w http.ResponseWriter, r *http.Request) {
	caller, _ := claims.FromContext(r.Context())
	demo.WriteJSON(w, http.StatusCreated, map[string]string{"created_by": caller.ClientID()})
}
