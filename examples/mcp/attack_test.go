package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/httpmw/mcpmw"
)

// copyBody reads the body of a request and puts it back.
func copyBody(w io.Writer, r *http.Request) (int64, error) {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	n, _ := w.Write(body)
	return int64(n), err
}

// However a call is written, nobody without the scope has the tool run: not
// under another's name, in any version of the protocol, in the fields, or in a
// body that the SDK reads in its own way.
func TestAttacks(t *testing.T) {
	t.Parallel()
	w := start(t)
	reader := w.issuer.Mint(claimstest.Token{Subject: "mallory", Scope: "orders:use orders:read"})
	const (
		list   = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_orders","arguments":{}}}`
		remove = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_order","arguments":{"id":"1"}}}`
		meta   = `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
		newest = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":` + meta + `,"name":"delete_order","arguments":{"id":"1"}}}`
	)
	bodies := map[string]string{
		"plain": remove, "new": newest,
		"batch":              "[" + list + "," + remove + "]",
		"two":                list + remove,
		"two, reversed":      remove + list,
		"name twice":         strings.Replace(remove, `"name":`, `"name":"list_orders","name":`, 1),
		"name twice, after":  strings.Replace(remove, `"arguments"`, `"name":"list_orders","arguments"`, 1),
		"Name":               strings.Replace(remove, `"name":`, `"Name":"list_orders","name":`, 1),
		"escaped":            strings.Replace(remove, `"arguments"`, `"n\u0061me":"list_orders","arguments"`, 1),
		"escaped, first":     strings.Replace(remove, `"name":`, `"n\u0061me":"list_orders","name":`, 1),
		"params twice":       strings.Replace(remove, `"params"`, `"params":{"name":"list_orders"},"params"`, 1),
		"method twice":       strings.Replace(remove, `"method"`, `"method":"tools/list","method"`, 1),
		"notification":       strings.Replace(remove, `"id":1,`, "", 1),
		"response and call":  strings.Replace(remove, `"id":1,`, `"id":1,"result":{},`, 1),
		"new, name twice":    strings.Replace(newest, `"name":"delete`, `"name":"list_orders","name":"delete`, 1),
		"new, in a batch":    "[" + newest + "]",
		"byte order mark":    "\ufeff" + remove,
		"another case":       strings.Replace(remove, "delete_order", "Delete_Order", 1),
		"with a NUL":         strings.Replace(remove, "delete_order", `delete_order\u0000`, 1),
		"list, with a trick": strings.Replace(list, `"arguments":{}`, `"arguments":{"name":"delete_order","id":"1"}`, 1),
	}
	for name, body := range bodies {
		for version, fields := range map[string][]string{
			"none":     {},
			"old":      {"Mcp-Protocol-Version", "2025-03-26"},
			"new":      {"Mcp-Protocol-Version", "2026-07-28"},
			"newer":    {"Mcp-Protocol-Version", "9999-01-01"},
			"two":      {"Mcp-Protocol-Version", "2026-07-28", "Mcp-Protocol-Version", "2025-03-26"},
			"backward": {"Mcp-Protocol-Version", "2025-03-26", "Mcp-Protocol-Version", "2026-07-28"},
		} {
			for declared, more := range map[string][]string{
				"nothing":    {},
				"list":       {"Mcp-Method", "tools/call", "Mcp-Name", "list_orders"},
				"tools/list": {"Mcp-Method", "tools/list"},
				"two names":  {"Mcp-Method", "tools/call", "Mcp-Name", "list_orders", "Mcp-Name", "delete_order"},
				"encoded":    {"Mcp-Method", "tools/call", "Mcp-Name", "=?base64?bGlzdF9vcmRlcnM=?="},
			} {
				r, err := http.NewRequestWithContext(t.Context(), "POST", w.url, strings.NewReader(body))
				require.NoError(t, err)
				r.Header.Set("Authorization", "Bearer "+reader)
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Accept", "application/json, text/event-stream")
				for i := 0; i < len(fields); i += 2 {
					r.Header.Add(fields[i], fields[i+1])
				}
				for i := 0; i < len(more); i += 2 {
					r.Header.Add(more[i], more[i+1])
				}
				resp, err := http.DefaultClient.Do(r)
				require.NoError(t, err)
				answer, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.NotContains(t, string(answer), "deleted", "%s, version %s, fields %s", name, version, declared)
			}
		}
	}
	// Nothing was deleted, also without an answer.
	resource := `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"orders://all"}}`
	r, err := http.NewRequestWithContext(t.Context(), "POST", w.url, strings.NewReader(resource))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+reader)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(answer), "tea")
}

// What the guard lets through is read by the SDK as the guard has read it.
func FuzzGuard_agreesWithSDK(f *testing.F) {
	for _, body := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"name":"b"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","Name":"b"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}`,
		`{"jsonrpc":"2.0","method":"resources/read","params":{"uri":"\ud83d\ude00"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}{"method":"x"}`,
		`{"jsonrpc":"2.0","id":1,"result":{}}`, `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`,
	} {
		f.Add([]byte(body))
	}
	verifier, err := claims.NewVerifier(claims.Config{Issuer: "https://a.example", Audiences: []string{"x"}})
	if err != nil {
		f.Fatal(err)
	}
	p := mcpmw.Housekeeping(claims.Public())
	for _, method := range []string{"tools/call", "prompts/get", "resources/read"} {
		p[method] = claims.Public()
	}
	guard, err := mcpmw.New(httpmw.New(verifier, httpmw.Config{}), mcpmw.Config{Policy: p})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var method, name string
		guard.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			method, name, _ = mcpmw.FromContext(r.Context())
			body, _ = io.ReadAll(r.Body)
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/mcp", strings.NewReader(string(body))))
		message, err := jsonrpc.DecodeMessage(body)
		if method == "" || err != nil {
			return // it reaches no tool
		}
		request, isRequest := message.(*jsonrpc.Request)
		if !isRequest {
			assert.Equal(t, "JSON-RPC response", method)
			return
		}
		require.Equal(t, method, request.Method)
		if name == "" {
			return
		}
		var tool mcp.CallToolParams
		var resource mcp.ReadResourceParams
		if method == "resources/read" {
			if json.Unmarshal(request.Params, &resource) == nil {
				assert.Equal(t, name, resource.URI)
			}
			return
		}
		if json.Unmarshal(request.Params, &tool) == nil {
			assert.Equal(t, name, tool.Name)
		}
	})
}
