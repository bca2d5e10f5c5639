// Package mcpmw guards the tools, resources and prompts of an MCP server, one
// by one: the calls of the Model Context Protocol all go to one path, and what
// each needs depends on what its body asks for. It imports no SDK, and stands
// before any handler of the streamable HTTP transport (authorization revision
// 2026-07-28).
//
//	auth := httpmw.New(verifier, httpmw.Config{Resource: "https://api.example/mcp"})
//	policy := mcpmw.Housekeeping(claims.Authenticated())
//	policy["tools/call list_orders"] = claims.Scopes("orders:read")
//	policy["tools/call delete_order"] = claims.Scopes("orders:delete")
//	guard, err := mcpmw.New(auth, mcpmw.Config{Policy: policy})
//	// …
//	metadata := auth.Metadata(httpmw.MetadataConfig{Operations: policy.Operations()})
//	mux.Handle("/mcp", guard.Wrap(mcpHandler))
//	mux.Handle(metadata.Path(), metadata)
//
// What the [Policy] does not list is refused. Refusals are those of httpmw: a
// client without a token is told where to get one and for which scope, and one
// whose token lacks a scope is told all that this operation needs, in one
// challenge. A broader scope implies narrower ones where claims.Config.ScopeMap
// says so. The audience of tokens should be the Resource.
//
// What a call asks for is read from its body, which is bounded and handed on as
// it came. A body that two readers could understand in two ways is refused with
// 400, whoever sends it: batches, which the protocol has not had since
// 2025-06-18, members that are there twice, escapes in their names, names that
// differ in case alone from those that count, text after the end. The fields
// Mcp-Method and Mcp-Name are believed instead where [Config] says that the
// server compares them with the body.
//
// A browser's preflight must be answered outside of the guard, and the Origin
// and Host be checked by the server: the official SDK does.
package mcpmw
