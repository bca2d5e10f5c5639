package main

import (
	"context"
	_ "embed" // the schema
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/graph-gophers/graphql-go"
	gqlerrors "github.com/graph-gophers/graphql-go/errors"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/httpmw"
)

// A query can be short and ask for much: these bound what it costs. The depth
// is that of the deepest field of the schema, and keeps introspection out.
const (
	maxQueryLength = 4000
	maxDepth       = 3
	maxParallel    = 4
	maxSelections  = 50
	queryTime      = 8 * time.Second
	maxWorkspaces  = 20
)

//go:embed schema.graphql
var schemaText string

// graphqlAPI is the GraphQL API. Any caller may query it: what they may not see
// is left out of lists, and is null, with an error, elsewhere.
type graphqlAPI struct {
	schema *graphql.Schema
	log    *slog.Logger
}

func newGraphQLAPI(store *store, log *slog.Logger) (*graphqlAPI, error) {
	schema, err := graphql.ParseSchema(schemaText, &queries{store, log},
		graphql.UseStringDescriptions(), graphql.MaxQueryLength(maxQueryLength),
		graphql.MaxDepth(maxDepth), graphql.MaxParallelism(maxParallel),
		graphql.MaxSelections(maxSelections), graphql.PanicHandler(panics{}))
	return &graphqlAPI{schema, log}, err
}

func (a *graphqlAPI) register(mux *httpmw.ServeMux) {
	mux.Handle("POST /graphql", claims.Authenticated(), a)
}

func (a *graphqlAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Query         string         `json:"query"`
		OperationName string         `json:"operationName"`
		Variables     map[string]any `json:"variables"`
		Extensions    any            `json:"extensions"` // which some clients send
	}
	if err := demo.ReadJSON(w, r, &in, errBadBody); err != nil {
		writeProblem(w, r, a.log, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTime)
	defer cancel()
	answer := a.schema.Exec(ctx, in.Query, in.OperationName, in.Variables)
	if err := ctx.Err(); err != nil { // fields are missing for no reason given
		writeProblem(w, r, a.log, err)
		return
	}
	demo.WriteJSON(w, http.StatusOK, answer)
}

// fieldError is an error of one field, for clients.
type fieldError struct{ code, text string }

func (e fieldError) Error() string { return e.text }

// Extensions are those of the GraphQL error.
func (e fieldError) Extensions() map[string]any { return map[string]any{"code": e.code} }

var errUnavailable = fieldError{"UNAVAILABLE", unavailable}

// fieldErrorOf returns what a client may know of err, which must not be nil.
func fieldErrorOf(log *slog.Logger, err error) error {
	var wrong invalid
	var refusal *claims.Error
	switch {
	case errors.As(err, &wrong):
		return fieldError{"BAD_USER_INPUT", wrong.Error()}
	case errors.As(err, &refusal) && refusal.Class() == claims.ErrForbidden:
		return fieldError{"FORBIDDEN", refusal.Text()}
	}
	if refusal != nil { // its text does not tell the cause
		err = errors.Join(err, refusal.Unwrap())
	}
	log.Error("field failed", "error", err)
	return errUnavailable
}

// panics keeps what a panic says, which has been logged, from clients.
type panics struct{}

func (panics) MakePanicError(context.Context, any) *gqlerrors.QueryError {
	return &gqlerrors.QueryError{Message: unavailable, Extensions: errUnavailable.Extensions()}
}
