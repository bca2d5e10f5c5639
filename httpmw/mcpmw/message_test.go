package mcpmw_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/httpmw"
	"github.com/sallyport-go/sallyport/httpmw/mcpmw"
)

// A body that can be read in two ways reaches nobody, whatever the token is
// good for.
func TestGuard_ambiguous(t *testing.T) {
	t.Parallel()
	issuer, server, spy := start(t, mcpmw.Config{Policy: policy()}, nil)
	token := issuer.Mint(claimstest.Token{Scope: "add wipe greet read"})
	add, wipe := call("tools/call", `{"name":"add"}`), call("tools/call", `{"name":"wipe"}`)
	for name, body := range map[string]string{
		"empty":                     "",
		"not JSON":                  "{",
		"text after the end":        add + wipe,
		"a comma after the end":     add + ",",
		"a batch":                   "[" + add + "," + wipe + "]",
		"a batch of one":            "[" + add + "]",
		"an empty batch":            "[]",
		"null":                      "null",
		"a string":                  `"tools/call"`,
		"byte order mark":           "\ufeff" + add,
		"method twice":              `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"add"}}`,
		"params twice":              `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"},"params":{"name":"wipe"}}`,
		"name twice":                call("tools/call", `{"name":"add","name":"wipe"}`),
		"name twice, and equal":     call("tools/call", `{"name":"add","name":"add"}`),
		"another member twice":      call("tools/call", `{"name":"add","x":1,"x":2}`),
		"Method":                    `{"jsonrpc":"2.0","id":1,"method":"tools/call","Method":"tools/list","params":{"name":"add"}}`,
		"METHOD alone":              `{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","params":{"name":"add"}}`,
		"Params":                    `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"},"Params":{"name":"wipe"}}`,
		"param\u017f":               `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"},"param` + "\u017f" + `":{"name":"wipe"}}`,
		"Name":                      call("tools/call", `{"name":"add","Name":"wipe"}`),
		"NAME alone":                call("tools/call", `{"NAME":"add"}`),
		"escape in a member's name": call("tools/call", `{"name":"add","n\u0061me":"wipe"}`),
		"escape in method's name":   `{"jsonrpc":"2.0","id":1,"method":"tools/list","m\u0065thod":"tools/call","params":{"name":"wipe"}}`,
		"half a character":          call("tools/call", `{"name":"\ud800"}`),
		"invalid UTF-8":             call("tools/call", "{\"name\":\"add\xff\"}"),
		"no name":                   call("tools/call", `{}`),
		"empty name":                call("tools/call", `{"name":""}`),
		"number as a name":          call("tools/call", `{"name":1}`),
		"null as a name":            call("tools/call", `{"name":null}`),
		"params in an array":        call("tools/call", `["add"]`),
		"params null":               call("tools/call", `null`),
		"no params":                 `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`,
		"params in a string":        call("tools/call", `"{\"name\":\"add\"}"`),
		"method null":               `{"jsonrpc":"2.0","id":1,"method":null,"params":{"name":"add"}}`,
		"method empty":              call("", `{"name":"add"}`),
		"method with a name":        call("tools/call add", `{"name":"wipe"}`),
		"method with a tab":         call(`tools/call\t`, `{"name":"add"}`),
		"as HTTP GET":               call("HTTP GET", `{}`),
		"as JSON-RPC response":      call("JSON-RPC response", `{}`),
		"too many members":          call("tools/call", `{"name":"add"`+strings.Repeat(`,"x":1`, 300)+`}`),
		"too many different":        call("tools/call", `{"name":"add"`+many(300)+`}`),
	} {
		got := send(t, server, "POST", body, token)
		assert.Equal(t, http.StatusBadRequest, got.status, name)
		var failed struct {
			Version string `json:"jsonrpc"`
			ID      *int
			Error   struct {
				Code    int
				Message string
			}
		}
		require.NoError(t, json.Unmarshal([]byte(got.body), &failed), name)
		assert.Equal(t, "2.0", failed.Version, name)
		assert.Less(t, failed.Error.Code, 0, name)
		assert.NotEmpty(t, failed.Error.Message, name)
	}
	assert.Zero(t, spy.reached)
	// What is the user's is not looked into.
	for _, arguments := range []string{
		`{"a":1,"a":2}`, `{"Name":"x","NAME":"y"}`, `{"\u006eame":"x"}`, `"}\"]"`, `[[{"name":"wipe"}]]`, `1.5e3`, `null`, `true`,
	} {
		body := " \r\n\t" + call("tools/call", ` { "arguments" : `+arguments+` , "name" : "\u0061dd" } `) + " \n"
		require.Equal(t, 202, send(t, server, "POST", body, token).status, arguments)
		assert.Equal(t, "add", spy.name)
		assert.Equal(t, body, spy.body)
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	return b.String()
}

// A body is bounded, and one that is coded is not read as another would read
// it.
func TestGuard_body(t *testing.T) {
	t.Parallel()
	issuer, server, spy := start(t, mcpmw.Config{Policy: policy(), MaxBody: 1000}, nil)
	token := issuer.Mint(claimstest.Token{Scope: "add"})
	padded := func(n int) string {
		body := call("tools/call", `{"name":"add"}`)
		return body + strings.Repeat(" ", n-len(body))
	}
	assert.Equal(t, 202, send(t, server, "POST", padded(1000), token).status)
	assert.Equal(t, http.StatusRequestEntityTooLarge, send(t, server, "POST", padded(1001), token).status)
	var coded bytes.Buffer
	w := gzip.NewWriter(&coded)
	_, err := w.Write([]byte(padded(100)))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for _, coding := range []string{"gzip", "identity, gzip", "br"} {
		got := send(t, server, "POST", coded.String(), token, "Content-Encoding", coding)
		assert.Equal(t, http.StatusUnsupportedMediaType, got.status, coding)
	}
	assert.Equal(t, 1, spy.reached)
	assert.Equal(t, 202, send(t, server, "POST", padded(100), token, "Content-Encoding", "Identity").status)
}

// What the guard reads is what encoding/json reads, which takes the last of
// members that are there twice and any case of a name.
func FuzzGuard(f *testing.F) {
	for _, body := range []string{
		call("tools/call", `{"name":"add","arguments":{"name":"wipe"}}`),
		call("resources/read", ` { "x" : [ 1 , "}" ] , "uri" : "file:///\u0061" } `),
		`{"method":"tools/list","params":null}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","Name":"wipe"}}`,
		`{"result":{}}`, `[]`, `{"method":"tools/call","params":{"n\u0061me":"x","name":"\ud800"}}`,
	} {
		f.Add([]byte(body))
	}
	verifier, err := claims.NewVerifier(claims.Config{Issuer: "https://a.example", Audiences: []string{"x"}})
	if err != nil {
		f.Fatal(err)
	}
	p := mcpmw.Housekeeping(claims.Public())
	for _, key := range []string{"tools/call", "prompts/get", "resources/read", "resources/subscribe", "resources/unsubscribe"} {
		p[key] = claims.Public()
	}
	guard, err := mcpmw.New(httpmw.New(verifier, httpmw.Config{}), mcpmw.Config{Policy: p})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var s spy
		r := httptest.NewRequest("POST", "/mcp", bytes.NewReader(body))
		guard.Wrap(&s).ServeHTTP(httptest.NewRecorder(), r)
		if s.reached == 0 {
			return
		}
		assert.Equal(t, string(body), s.body)
		var message struct {
			Method *string
			Params json.RawMessage
		}
		require.NoError(t, json.Unmarshal(body, &message))
		if message.Method == nil {
			assert.Equal(t, "JSON-RPC response", s.method)
			return
		}
		assert.Equal(t, *message.Method, s.method)
		var params struct{ Name, URI string }
		if s.name != "" {
			require.NoError(t, json.Unmarshal(message.Params, &params))
			assert.Contains(t, []string{params.Name, params.URI}, s.name)
		}
	})
}
