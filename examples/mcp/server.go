package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/httpmw/mcpmw"
)

// scopeMap says that who may administrate may do everything: a broader scope
// must imply narrower ones (MCP, authorization, step-up flow).
var scopeMap = map[string][]string{"orders:admin": {"orders:use", "orders:read", "orders:delete"}}

// policy is what each thing that a client can ask for needs. What is not here
// is refused.
func policy() mcpmw.Policy {
	p := mcpmw.Housekeeping(claims.Scopes("orders:use"))
	p["tools/call list_orders"] = claims.Scopes("orders:use", "orders:read")
	p["tools/call delete_order"] = claims.Scopes("orders:use", "orders:delete")
	p["prompts/get summary"] = claims.Scopes("orders:use", "orders:read")
	p["resources/read orders://all"] = claims.Scopes("orders:use", "orders:read")
	return p
}

// newHandler returns an MCP server at /mcp, guarded by auth, with the metadata
// of the resource beside it. resource is the URL by which clients know it, or
// its path alone.
func newHandler(
	auth claims.Authenticator, resource string, observer claims.Observer,
) (http.Handler, error) {
	guarding := httpmw.New(auth, httpmw.Config{
		Realm: "orders", Resource: resource, Observer: observer,
	})
	needs := policy()
	guard, err := mcpmw.New(guarding, mcpmw.Config{
		Policy: needs, ServerComparesHeaders: true, // as this SDK does
	})
	if err != nil {
		return nil, err
	}
	server := newServer()
	metadata := guarding.Metadata(httpmw.MetadataConfig{Operations: needs.Operations()})
	mux := http.NewServeMux()
	mux.Handle(metadata.Path(), metadata)
	mux.Handle("/mcp", guard.Wrap(mcp.NewStreamableHTTPHandler(
		func(*http.Request) *mcp.Server { return server },
		// Each request stands alone, as in revision 2026-07-28. A server with
		// sessions must bind each to its user.
		&mcp.StreamableHTTPOptions{Stateless: true},
	)))
	return mux, nil
}

// store is what the tools work on.
type store struct {
	mu     sync.Mutex
	orders map[string]string // guarded by mu
}

type none struct{}

type orderID struct {
	ID string `json:"id" jsonschema:"the ID of the order"`
}

func newServer() *mcp.Server {
	s := &store{orders: map[string]string{"1": "tea", "2": "coffee"}}
	server := mcp.NewServer(&mcp.Implementation{Name: "orders", Version: "1"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "list_orders", Description: "List the orders."}, s.list)
	mcp.AddTool(server, &mcp.Tool{Name: "delete_order", Description: "Delete an order."}, s.delete)
	// Forgotten in the policy: nobody can call it.
	mcp.AddTool(server, &mcp.Tool{Name: "export_orders", Description: "Export."}, s.list)
	server.AddPrompt(&mcp.Prompt{Name: "summary"}, func(
		context.Context, *mcp.GetPromptRequest,
	) (*mcp.GetPromptResult, error) {
		return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{
			{Role: "user", Content: &mcp.TextContent{Text: "Summarize the orders."}},
		}}, nil
	})
	server.AddResource(&mcp.Resource{Name: "orders", URI: "orders://all"}, func(
		context.Context, *mcp.ReadResourceRequest,
	) (*mcp.ReadResourceResult, error) {
		return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{
			{URI: "orders://all", Text: s.text()},
		}}, nil
	})
	return server
}

func (s *store) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _ := json.Marshal(s.orders) // of strings, which can always be encoded
	return string(text)
}

func (s *store) list(
	context.Context, *mcp.CallToolRequest, none,
) (*mcp.CallToolResult, any, error) {
	return said(s.text()), nil, nil
}

// delete says who did it: a tool finds the caller in its context.
func (s *store) delete(
	ctx context.Context, _ *mcp.CallToolRequest, in orderID,
) (*mcp.CallToolResult, any, error) {
	caller, _ := claims.FromContext(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.orders, in.ID)
	return said(fmt.Sprintf("deleted %s for %s", in.ID, caller.Subject())), nil, nil
}

func said(text string) *mcp.CallToolResult {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}
}
