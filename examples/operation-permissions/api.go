package main

import (
	"context"
	_ "embed" // the schema
	"errors"
	"net/http"

	"github.com/graph-gophers/graphql-go"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/httpmw"
)

//go:embed schema.graphql
var schemaText string

// grantTable says what clients may do, by client ID.
type grantTable map[string]claims.Grants

// Permissions implements [claims.PermissionSource].
func (t grantTable) Permissions(_ context.Context, who claims.Principal) (claims.Grants, error) {
	return t[who.ClientID], nil
}

// newAPI returns the API: one endpoint, which every client with a token may
// ask. What of the answer they may see is decided field by field.
func newAPI(userPool string, grants grantTable) (http.Handler, error) {
	clients := make([]string, 0, len(grants)+1)
	for id := range grants {
		clients = append(clients, id)
	}
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: userPool,
		// Access tokens of Cognito have no "aud": app clients take its place.
		Profile:   claims.Cognito,
		ClientIDs: append(clients, stranger.ID),
	})
	if err != nil {
		return nil, err
	}
	cache, err := claims.NewPermissionCache(grants, claims.PermissionCacheConfig{})
	if err != nil {
		return nil, err
	}
	schema, err := graphql.ParseSchema(schemaText, &resolvers{},
		graphql.MaxDepth(3), graphql.MaxQueryLength(4000))
	if err != nil {
		return nil, err
	}
	mux := httpmw.NewServeMux(httpmw.New(verifier, httpmw.Config{Permissions: cache}))
	mux.HandleFunc("POST /v1", claims.Scopes(scope), func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Query     string         `json:"query"`
			Variables map[string]any `json:"variables"`
		}
		if err := demo.ReadJSON(w, r, &in, errBody); err != nil {
			demo.WriteProblem(w, http.StatusBadRequest, err.Error())
			return
		}
		demo.WriteJSON(w, http.StatusOK, schema.Exec(r.Context(), in.Query, "", in.Variables))
	})
	return mux, nil
}

var errBody = errors.New(`the body must be a JSON object with "query" and "variables"`)

// operations are what each operation of the API needs, inside a workspace: the
// platform's table, in one place.
var operations = map[string]claims.Requirement{
	"properties":  claims.Permissions("properties:read"),
	"revenue":     claims.Permissions("revenue:read"),
	"addProperty": claims.Permissions("properties:write"),
}

// mayDo asks whether the caller may do an operation in a workspace. The error
// is for the client.
func mayDo(ctx context.Context, operation, workspace string) error {
	err := claims.Allowed(ctx, claims.InWorkspace(workspace, operations[operation]))
	refusal := (*claims.Error)(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal) && refusal.Class() == claims.ErrForbidden:
		return fieldError{"FORBIDDEN", refusal.Text()}
	case errors.As(err, &refusal):
		return fieldError{"UNAVAILABLE", refusal.Text()}
	}
	return fieldError{"UNAVAILABLE", "It cannot be decided."}
}

// fieldError is the error of one field: the others are answered.
type fieldError struct{ code, text string }

func (e fieldError) Error() string { return e.text }

// Extensions are those of the GraphQL error.
func (e fieldError) Extensions() map[string]any { return map[string]any{"code": e.code} }
