package mcpmw

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxMembers are how many members a message may have, and so may parameters.
const maxMembers = 256

// fault is what is wrong with a request, whoever sends it.
type fault struct {
	status int
	code   int // of JSON-RPC
	text   string
}

func (f *fault) Error() string { return "mcpmw: " + f.text }

var (
	errTooLarge = &fault{http.StatusRequestEntityTooLarge, -32600, "The body is too large."}
	errUnread   = &fault{http.StatusBadRequest, -32700, "The body could not be read."}
	errEncoded  = &fault{http.StatusUnsupportedMediaType, -32600,
		"The body must not have a content coding."}
	errJSON  = &fault{http.StatusBadRequest, -32700, "The body must be one JSON object in UTF-8."}
	errBatch = &fault{http.StatusBadRequest, -32600,
		"Batches are not accepted: send each message by itself."}
	errAmbiguous = &fault{http.StatusBadRequest, -32600,
		"The members of a message and of its parameters must each be there once, " +
			"written as the protocol has them, and be at most 256."}
	errMethod = &fault{http.StatusBadRequest, -32600,
		"The method must be a string of printable ASCII without spaces."}
	errName = &fault{http.StatusBadRequest, -32602,
		"The parameters must name what the method is about."}
)

// write answers a request with a fault, as a JSON-RPC error without an ID: the
// ID of what cannot be read is not known.
func write(w http.ResponseWriter, err error) {
	f, ok := err.(*fault)
	if !ok {
		f = errJSON
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	w.WriteHeader(f.status)
	fmt.Fprintf(w, `{"jsonrpc":"2.0","id":null,"error":{"code":%d,"message":%q}}`+"\n",
		f.code, f.text)
}

// parse returns what a body asks for. It is an error if another reader could
// understand the body in another way.
func parse(body []byte) (call, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return call{}, errJSON
	}
	body = bytes.TrimLeft(body, " \t\r\n")
	switch body[0] {
	case '{':
	case '[':
		return call{}, errBatch
	default:
		return call{}, errJSON
	}
	message, err := members(body, "jsonrpc", "id", "method", "params", "result", "error")
	if err != nil {
		return call{}, err
	}
	raw, isRequest := message["method"]
	if !isRequest {
		return call{method: keyResponse}, nil
	}
	method, ok := text(raw)
	if !ok || !isMethod(method) {
		return call{}, errMethod
	}
	kind, takesName := named[method]
	if !takesName {
		return call{method: method}, nil
	}
	params := message["params"]
	if len(params) == 0 || params[0] != '{' {
		return call{}, errName
	}
	inside, err := members(params, "name", "uri")
	if err != nil {
		return call{}, err
	}
	name, ok := text(inside[kind.parameter])
	if !ok || !isName(name) {
		return call{}, errName
	}
	return call{method, name}, nil
}

// text returns a JSON string.
func text(raw []byte) (s string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(raw, &s) == nil
}

// isMethod reports whether a method is one that no name can be mistaken for.
func isMethod(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) < 0
}

// isName reports whether a name is the same for every reader: an escape of half
// a character is what they read in different ways.
func isName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == utf8.RuneError
	}) < 0
}

// members returns the members of a JSON object, which is valid and begins with
// its brace. Those that are looked for must be spelt so.
func members(object []byte, sought ...string) (map[string][]byte, error) {
	found := map[string][]byte{}
	for rest := skipSpace(object[1:]); rest[0] != '}'; {
		end := stringEnd(rest)
		key := string(rest[1 : end-1])
		_, twice := found[key]
		if twice || len(found) == maxMembers ||
			strings.Contains(key, `\`) || isVariant(key, sought) {
			return nil, errAmbiguous
		}
		rest = skipSpace(skipSpace(rest[end:])[1:]) // the colon
		end = valueEnd(rest)
		found[key] = rest[:end]
		if rest = skipSpace(rest[end:]); rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
	return found, nil
}

// isVariant reports whether a key differs in case alone from one that is looked
// for.
func isVariant(key string, sought []string) bool {
	return slices.ContainsFunc(sought, func(s string) bool {
		return key != s && strings.EqualFold(key, s)
	})
}

func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// stringEnd returns where the string ends that b begins with.
func stringEnd(b []byte) int {
	for i := 1; ; i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// valueEnd returns where the value ends that b begins with.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch b[i] {
		case '"':
			i += stringEnd(b[i:]) - 1
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth == 0 { // of what is around
				return i
			}
			depth--
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
}
