package httpmw

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
	"github.com/sallyport-go/sallyport/claims/mtls"
)

// Config says how a [Middleware] decides and answers. The zero value is useful.
type Config struct {
	// Realm is the realm of the challenges (RFC 9110 section 11.5): a name for
	// what is protected, shown to clients, in printable ASCII. Empty means
	// "api".
	Realm string

	// Resource is the URL by which clients know what is protected, such as
	// "https://api.example/orders": the resource identifier of RFC 9728, and
	// what the audience of tokens should be (RFC 8707). Challenges then have
	// its metadata's URL as resource_metadata, and [Metadata] serves that. It
	// is an https URL without query and fragment, or http to this machine.
	//
	// A path alone, such as "/" or "/orders", stands for that path of the host
	// and the scheme by which each request came in: for tests, and for servers
	// of many names that no proxy stands before.
	//
	// Empty means that nobody is told.
	Resource string

	// From is where in a request the credential stands. The zero value is the
	// Authorization field. No other place is looked at: what a client puts
	// elsewhere is no credential.
	From Place

	// Body returns the body of a refusal in a form of one's own, and its media
	// type, such as "text/html; charset=utf-8". Status and header are the same
	// as without it: nothing that it returns can change them. What it knows of
	// the request is the client's, and not to be written unescaped.
	//
	// An empty media type, or one that is none, means that the client has what
	// it has without Body: by its Accept field, a problem document (RFC 9457),
	// the same as application/json, or its sentence as plain text; the first
	// unless it asks for another. So it has if Body panics, which is logged, at
	// most once a second. Body is called on the request's goroutine.
	Body func(r *http.Request, p Problem) (mediaType string, body []byte)

	// Second are further credentials that a request may have, by the names that
	// a [claims.Second] asks for them by: the token of a sandbox, or of the
	// user for whom a service asks. Each name is a token of at most 32
	// characters and no authentication scheme, as it is the scheme of the
	// credential's challenges: a client that reads those of its own scheme
	// alone does not take a fault in one credential for a fault in the other.
	// Nil means that a request has one credential.
	Second map[string]Second

	// KeepToken lets a handler pass the caller's token on, or one that it is
	// exchanged for, by package claims/relay: to the hosts that are named
	// there, and no others. False means that the context of a request has no
	// token.
	KeepToken bool

	// Certificates says which proxies are believed when they hand on the
	// certificate of a client, and in which field. From anybody else the field
	// is removed before anything looks at the request, a handler included; the
	// certificate of a proxy is nobody's. Nil means that a client's certificate
	// is the one that it showed to this server.
	Certificates *mtls.Forwarded

	// Permissions says what callers may do where their tokens do not, usually a
	// [*claims.PermissionCache]. Nil means that tokens alone grant permissions.
	Permissions claims.PermissionSource

	// Revocations says which tokens have ended before they expire, usually a
	// *revocation.Table; it is asked on each use of a token. Nil means that
	// none have.
	Revocations claims.Revocations

	// Observer is told of every decision about a request to an operation that
	// is not public: an audit log, such as [claims.LogDecisions]. Nil means
	// nobody.
	Observer claims.Observer

	// Operation returns the name of a request's operation for the Observer, as
	// it stands in the access table: "GET /orders/{id}", never the path or
	// anything else that a client may choose. Nil, or an empty name, means
	// [http.Request.Pattern], and before an [http.ServeMux] the pattern by
	// which that will route. Set it for a router that has names of its own,
	// such as chi or gorilla/mux. A [ServeMux] names its operations itself.
	//
	// It is asked on the request's goroutine and only if there is an Observer.
	// If it panics, the request is refused with [claims.ErrUnavailable].
	Operation func(r *http.Request) string
}

// Middleware stands in front of handlers and lets through the requests of
// callers who may. It is immutable and safe for concurrent use. [New] makes
// one; the zero value refuses every request, and its Require and Wrap panic.
type Middleware struct {
	auth      claims.Authenticator
	guard     *claims.Guard
	realm     string
	resource  resource
	from      Place
	second    map[string]Place
	hidden    bool            // a handler must not see what is in from, or in a second
	private   bool            // caches do not know that responses are
	handedOn  *mtls.Forwarded // nil for none
	challenge httpauth.Challenge
	body      func(*http.Request, Problem) (string, []byte) // nil for none
	panics    *reports                                      // of body
	observed  bool
	operation func(*http.Request) string // nil for none
}

// New returns a Middleware that asks auth who sent a request: a
// [*claims.Verifier], a [*claims.Issuers], or any other. It panics, with all
// that is wrong, if auth or Config.Permissions is a nil pointer, which means
// that an error was ignored, if Config.Realm or Config.Resource is not what it
// says, or if something is wrong with Config.Second or with the [Place] of
// Config.From. Where grpcmw.New returns an error, as its policy is data that
// can be wrong in many places, New panics, as [http.ServeMux.Handle] does: what
// can be wrong here is a line of the program.
func New(auth claims.Authenticator, cfg Config) *Middleware {
	guard, guardErr := claims.NewGuard(auth, claims.GuardConfig{
		Permissions: cfg.Permissions, Observer: cfg.Observer, Revocations: cfg.Revocations,
		Second: authsOf(cfg.Second), KeepToken: cfg.KeepToken,
	})
	resource, resourceErr := newResource(cfg.Resource)
	if resourceErr != nil {
		resourceErr = fmt.Errorf("Config.Resource of %q %w", cfg.Resource, resourceErr)
	}
	challenge, err := newChallenge(cfg.Realm, resource.metadataURL)
	if err != nil {
		err = fmt.Errorf("Config.Realm of %q must be printable ASCII", cfg.Realm)
	}
	var handedErr error
	if cfg.Certificates != nil && !cfg.Certificates.IsMade() {
		handedErr = errors.New("Config.Certificates was not made by mtls.NewForwarded")
	}
	err = errors.Join(guardErr, err, resourceErr, handedErr, placed("Config.From", cfg.From),
		placedApart(cfg.From, cfg.Second))
	if err != nil {
		const here = "httpmw: New: " // before each mistake, in the words of the caller
		panic(here + strings.ReplaceAll(err.Error(), "\n", "\n"+here))
	}
	m := &Middleware{
		auth: auth, guard: guard, realm: cfg.Realm, resource: resource,
		hidden: cfg.From.hidden(), private: !cfg.From.isStandard(),
		handedOn: cfg.Certificates, challenge: challenge, body: cfg.Body, panics: new(reports),
		observed: cfg.Observer != nil, operation: cfg.Operation,
	}
	m.place(cfg.From, cfg.Second)
	return m
}

// newChallenge returns the challenge that names the metadata of the resource,
// if there are any.
func newChallenge(realm, metadataURL string) (httpauth.Challenge, error) {
	cfg := httpauth.ChallengeConfig{Realm: realm}
	if metadataURL != "" {
		cfg.Params = []httpauth.Param{{Name: "resource_metadata", Value: metadataURL}}
	}
	return httpauth.NewChallenge(cfg)
}

// protocol is what this package's operations are of in an access table.
const protocol = "HTTP"

var errNotMade = errors.New("httpmw: the Middleware was not made by New")

// Require returns middleware that serves a request if its caller meets needs,
// and refuses it otherwise, as the package comment describes. The handler finds
// the caller by [claims.FromContext]. Require panics if needs is invalid, has a
// [claims.RequestFunc] that does not look at an *http.Request, or has a
// permission that nothing can grant, as [claims.Guard.Validate] says; the
// middleware panics if it is given no handler.
//
// A request that is refused is not handed on, and that is all: a framework
// whose chain goes on by itself, as gin's does unless it is aborted, must be
// told. Never call the handler that Require returns from the middleware of such
// a framework without looking whether it has called the next. The examples of
// this module have adapters for gin and echo that do.
func (m *Middleware) Require(needs claims.Requirement) func(http.Handler) http.Handler {
	m.mustBeMade("Require")
	return m.require("Require", operation("", needs))
}

func (m *Middleware) require(
	method string, op claims.Operation,
) func(http.Handler) http.Handler {
	if err := m.validate(op.Name, op.Requirement); err != nil {
		panic("httpmw: " + method + ": " + err.Error())
	}
	return func(next http.Handler) http.Handler {
		if isNoHandler(next) {
			panic("httpmw: " + method + ": the next handler is nil")
		}
		return &guarded{m, op.Protocol, op.Name, op.Requirement, next}
	}
}

// RequireFor is Require for an operation that has this Name in records and in
// the table of an [Audit], whatever its route is called: for a router that sets
// no [http.Request.Pattern], where [Config.Operation] cannot find the name, for
// handlers without a router, and for what goes to one path, such as MCP. Its
// Protocol is "HTTP" if it is empty. RequireFor panics where Require does, and
// if the Name is empty.
func (m *Middleware) RequireFor(op claims.Operation) func(http.Handler) http.Handler {
	m.mustBeMade("RequireFor")
	if op.Name == "" {
		panic("httpmw: RequireFor: the name is empty")
	}
	op.Protocol = cmp.Or(op.Protocol, protocol)
	return m.require("RequireFor", op)
}

// Wrap returns a handler that serves the requests of callers with a valid
// token: it is Require([claims.Authenticated]()), and what Require says of
// frameworks holds for it as well. It panics if next is nil.
func (m *Middleware) Wrap(next http.Handler) http.Handler {
	m.mustBeMade("Wrap")
	if isNoHandler(next) {
		panic("httpmw: Wrap: the next handler is nil")
	}
	return &guarded{m, protocol, "", claims.Authenticated(), next}
}

// validate returns what is wrong with the requirement of an operation.
func (m *Middleware) validate(name string, needs claims.Requirement) error {
	return m.guard.Validate(operation(name, needs), (*http.Request)(nil))
}

func (m *Middleware) mustBeMade(method string) {
	if m == nil || m.guard == nil {
		panic("httpmw: " + method + ": the Middleware was not made by New")
	}
}

// isNoHandler reports whether a handler cannot but panic.
func isNoHandler(h http.Handler) bool {
	f, isFunc := h.(http.HandlerFunc)
	return h == nil || isFunc && f == nil
}

// Admit decides as [Middleware.Require] does and writes nothing. It returns the
// request for the handler, which finds the caller in its context; r itself if
// needs is [claims.Public]. The error is, or wraps, a [*claims.Error];
// [Middleware.Refuse] writes it. An invalid requirement refuses everybody.
//
// Of a requirement of [claims.EndsWithToken] the context of that request is
// done when the caller's token ends, of one of [claims.MayOutlive] when that is
// revoked; the handler has to end by it.
//
// What goes with the answer to a request that is let through, such as a new
// nonce of package dpop before the old one ends, is left out: such a client is
// challenged when it has ended.
func (m *Middleware) Admit(r *http.Request, needs claims.Requirement) (*http.Request, error) {
	admitted, proof, err := m.admit(r, operation("", needs), nil, nil)
	if err != nil {
		response, _ := proof.(*answered)
		return nil, &notAdmitted{err, response.header()}
	}
	if ends(needs) {
		admitted = m.endingWithToken(admitted)
	}
	return admitted, nil
}

// notAdmitted is an error of Admit: no handler has run.
type notAdmitted struct {
	err      error
	response http.Header // what goes with the answer
}

func (n *notAdmitted) Error() string { return n.err.Error() }
func (n *notAdmitted) Unwrap() error { return n.err }

// admit decides about a request to an operation, which next serves, if that is
// known. response is where what goes with the answer is put, if there is one
// yet; proof is what the request proves with.
func (m *Middleware) admit(
	r *http.Request, op claims.Operation, next http.Handler, response http.Header,
) (admitted *http.Request, proof claims.Prover, err error) {
	if m == nil || m.guard == nil {
		return nil, nil, claims.NewError(
			claims.ErrUnavailable, claims.ReasonUndecided, errNotMade)
	}
	if m.handedOn != nil {
		removeForged(r, m.handedOn)
	}
	if op.Requirement.IsPublic() {
		return r, nil, nil
	}
	credentials, err := m.from.take(r)
	absent := claims.Absent(err)
	if absent { // which is for the guard to refuse
		err = nil
	}
	if op.Name == "" {
		var unnamed error
		if op.Name, unnamed = m.nameOf(r, next); unnamed != nil {
			err = unnamed
		}
	}
	if err != nil {
		return nil, nil, m.guard.Refuse(r.Context(), op, err)
	}
	if !absent {
		credentials.Proof = m.proverOf(r, credentials.Scheme, response)
	}
	if m.second != nil {
		credentials.Second = m.secondOf(r)
	}
	ctx, err := m.guard.Authorize(r.Context(), op, credentials, r)
	if err != nil {
		return nil, credentials.Proof, err
	}
	admitted = r.WithContext(ctx)
	if m.hidden {
		m.hide(admitted)
	}
	return admitted, nil, nil
}
