package mcpmw

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// DefaultMaxBody is how long a body may be where [Config.MaxBody] says nothing.
const DefaultMaxBody = 4 << 20

// Config says what a [Guard] lets through.
type Config struct {
	// Policy says what each operation needs. Required; what it does not list is
	// refused.
	Policy Policy

	// ServerComparesHeaders says that the server behind compares the fields
	// Mcp-Method and Mcp-Name with the body of each request whose
	// Mcp-Protocol-Version is 2026-07-28 or later, and refuses those that
	// differ, as the official Go SDK does from version 1.8 on. Then they are
	// believed for such requests, and the body is not read. Every server of
	// that revision must compare them; one that does not lets a client call one
	// tool under the name of another. False means that the body decides.
	ServerComparesHeaders bool

	// MaxBody is how many bytes of a body are read. A longer one is answered
	// with 413. Zero means [DefaultMaxBody]; it must not be negative.
	MaxBody int64
}

// Guard stands before the handler of an MCP server and lets through what
// callers may do. It is immutable and safe for concurrent use. [New] makes one;
// its methods panic if it was not made so.
type Guard struct {
	auth *httpmw.Middleware
	cfg  Config
}

// unlisted refuses those who have a token; others are asked for one.
var unlisted = claims.Func("unlisted", func(context.Context, *claims.Claims) (bool, error) {
	return false, claims.NewError(claims.ErrForbidden, claims.ReasonUnlisted, nil)
})

// New returns a Guard whose decisions and answers are those of auth. The error
// reports everything that is wrong with cfg. It panics if auth was not made by
// [httpmw.New].
func New(auth *httpmw.Middleware, cfg Config) (guard *Guard, err error) {
	errs := []error{cfg.Policy.validate()}
	if cfg.MaxBody < 0 {
		errs = append(errs, fmt.Errorf("mcpmw: Config.MaxBody of %d is negative", cfg.MaxBody))
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = DefaultMaxBody
	}
	policy := Policy{}
	for _, op := range cfg.Policy.Operations() {
		if err := validate(auth, op); err != nil {
			errs = append(errs, err)
		}
		policy[op.Name] = op.Requirement
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	cfg.Policy = policy
	return &Guard{auth, cfg}, nil
}

// Wrap returns a handler that hands to next, the handler of an MCP server, what
// callers may do. It panics if next is nil.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	if g == nil || g.auth == nil {
		panic("mcpmw: Wrap: the Guard was not made by New")
	}
	if f, isFunc := next.(http.HandlerFunc); next == nil || isFunc && f == nil {
		panic("mcpmw: Wrap: the next handler is nil")
	}
	w := &wrapped{cfg: g.cfg, handlers: map[string]http.Handler{}}
	for _, op := range g.cfg.Policy.Operations() {
		w.handlers[op.Name] = g.auth.RequireFor(op)(next)
	}
	w.unlisted = g.auth.RequireFor(
		claims.Operation{Protocol: protocol, Name: "unknown", Requirement: unlisted})(next)
	return w
}

// wrapped is the handler that Wrap returns.
type wrapped struct {
	cfg      Config
	handlers map[string]http.Handler // by operation, each with its guard
	unlisted http.Handler
}

func (h *wrapped) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := h.callOf(w, r)
	if err != nil {
		write(w, err)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
	h.handlerOf(c).ServeHTTP(w, r)
}

// handlerOf returns the handler of an operation: of its name, or else of its
// method.
func (h *wrapped) handlerOf(c call) http.Handler {
	if handler, listed := h.handlers[c.key()]; listed {
		return handler
	}
	if handler, listed := h.handlers[c.method]; listed {
		return handler
	}
	return h.unlisted
}

// call is what a request asks for.
type call struct{ method, name string }

func (c call) key() string {
	if c.name == "" {
		return c.method
	}
	return c.method + " " + c.name
}

type callKey struct{}

// FromContext returns what the request that ctx is of asks for: the method, and
// the name of the tool or the prompt, or the URI of the resource, if there is
// one. It reports false outside of a [Guard].
func FromContext(ctx context.Context) (method, name string, ok bool) {
	c, ok := ctx.Value(callKey{}).(call)
	return c.method, c.name, ok
}

// callOf returns what a request asks for. A body that was read stands in the
// request again.
func (h *wrapped) callOf(w http.ResponseWriter, r *http.Request) (call, error) {
	if r.Method != http.MethodPost {
		return call{method: "HTTP " + r.Method}, nil
	}
	if c, ok := h.declared(r.Header); ok {
		return c, nil
	}
	coding := r.Header.Get("Content-Encoding")
	if coding != "" && !strings.EqualFold(coding, "identity") {
		return call{}, errEncoded
	}
	limited := http.MaxBytesReader(w, r.Body, h.cfg.MaxBody)
	body, err := io.ReadAll(limited)
	if err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return call{}, errTooLarge
		}
		return call{}, errUnread
	}
	r.Body = &replayed{bytes.NewReader(body), limited}
	return parse(body)
}

// replayed is a body that was read, and that of the connection, to be closed.
type replayed struct {
	io.Reader
	io.Closer
}

// comparedFrom is the first version of the protocol whose servers compare the
// fields with the body. Versions are dates, which sort as text.
const comparedFrom = "2026-07-28"

// declared returns what a request asks for by its fields, if they can be
// believed.
func (h *wrapped) declared(header http.Header) (call, bool) {
	if !h.cfg.ServerComparesHeaders {
		return call{}, false
	}
	version, ok := single(header["Mcp-Protocol-Version"])
	if !ok || version < comparedFrom {
		return call{}, false
	}
	method, ok := single(header["Mcp-Method"])
	if !ok || !isMethod(method) {
		return call{}, false
	}
	kind, takesName := named[method]
	if !takesName {
		return call{method: method}, true
	}
	name, ok := single(header["Mcp-Name"])
	// A name that is encoded is read where it is not.
	if !ok || !kind.inHeader || !isName(name) || strings.HasPrefix(name, "=?") {
		return call{}, false
	}
	return call{method, name}, true
}

func single(values []string) (value string, ok bool) {
	if len(values) != 1 || values[0] == "" {
		return "", false
	}
	return values[0], true
}

// validate returns what is wrong with the requirement of an operation, in the
// words of httpmw, which panics.
func validate(auth *httpmw.Middleware, op claims.Operation) (err error) {
	if op.Name == "" {
		return nil // which is another fault
	}
	defer func() {
		if p := recover(); p != nil {
			text, isText := p.(string)
			text, isOurs := strings.CutPrefix(text, "httpmw: RequireFor: claims: ")
			if !isText || !isOurs {
				panic(p)
			}
			err = fmt.Errorf("mcpmw: Config.Policy: %s: claims: %s", op.Name, text)
		}
	}()
	auth.RequireFor(op)
	return nil
}
