package mcpmw

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// Policy says what each operation of an MCP server needs. Its keys are
//
//	"tools/call add"                      a tool, by its name
//	"resources/read file:///a", "prompts/get greet", and
//	"resources/subscribe …", "resources/unsubscribe …"
//	"tools/call"                          every tool without an entry of its own
//	"tools/list"                          any other method
//	"HTTP GET", "HTTP DELETE"             the stream and the end of a session
//	"JSON-RPC response"                   an answer to what the server asked
//
// Names and URIs are compared exactly, and there are no wildcards. What has no
// entry is refused. A requirement that depends on more, such as the part of a
// URI that a template leaves open, is a [claims.RequestFunc] of *http.Request,
// which finds what is asked for by [FromContext].
type Policy map[string]claims.Requirement

const (
	keyGET      = "HTTP GET"
	keyDELETE   = "HTTP DELETE"
	keyResponse = "JSON-RPC response"
)

// named are the methods that a name belongs to, with the parameter that has it,
// and whether a server compares that with the field Mcp-Name.
var named = map[string]struct {
	parameter string
	inHeader  bool
}{
	"tools/call":            {"name", true},
	"prompts/get":           {"name", true},
	"resources/read":        {"uri", true},
	"resources/subscribe":   {"uri", false},
	"resources/unsubscribe": {"uri", false},
}

// Housekeeping returns a Policy with what every client asks of a server before
// it calls anything, and lists: each needs the same. Tools, resources, prompts
// and completions are not among it.
func Housekeeping(needs claims.Requirement) Policy {
	p := Policy{}
	for _, key := range []string{
		keyGET, keyDELETE, keyResponse,
		"initialize", "ping", "server/discover", "logging/setLevel", "subscriptions/listen",
		"notifications/initialized", "notifications/cancelled", "notifications/progress",
		"notifications/roots/list_changed",
		"tools/list", "prompts/list", "resources/list", "resources/templates/list",
	} {
		p[key] = needs
	}
	return p
}

// protocol is what operations are of in an access table.
const protocol = "MCP"

// Operations returns the operations and what they need, by name, for a
// [claims.AccessTable] and for the scopes of httpmw.MetadataConfig.
func (p Policy) Operations() []claims.Operation {
	operations := make([]claims.Operation, 0, len(p))
	for _, key := range slices.Sorted(maps.Keys(p)) {
		operations = append(operations, p.operation(key))
	}
	return operations
}

func (p Policy) operation(key string) claims.Operation {
	return claims.Operation{Protocol: protocol, Name: key, Requirement: p[key]}
}

// validate returns why no request can match an entry.
func (p Policy) validate() error {
	var errs []error
	if len(p) == 0 {
		errs = append(errs, errors.New(
			"mcpmw: Config.Policy is empty: every request would be refused"))
	}
	for _, key := range slices.Sorted(maps.Keys(p)) {
		method, name, hasName := strings.Cut(key, " ")
		_, takesName := named[method]
		switch {
		case key == keyGET, key == keyDELETE, key == keyResponse:
		case !isMethod(method):
			errs = append(errs, fmt.Errorf("mcpmw: Config.Policy: %q has no method", key))
		case hasName && !takesName:
			errs = append(errs, fmt.Errorf(
				"mcpmw: Config.Policy: %q: the method %s has no name after it", key, method))
		case hasName && !isName(name):
			errs = append(errs, fmt.Errorf(
				"mcpmw: Config.Policy: %q: %q cannot be a name", key, name))
		}
	}
	return errors.Join(errs...)
}
