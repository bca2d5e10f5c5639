package httpmw

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// MetadataConfig says what the metadata of a protected resource has (RFC 9728
// section 2) besides what the [Middleware] and its Authenticator tell. The zero
// value is useful.
type MetadataConfig struct {
	// AuthorizationServers are the issuers that clients can get tokens from, as
	// https URLs. Nil means those that [claims.AuthorizationServers] lists at
	// the time of the request. It is required where that cannot list them, as
	// with [claims.Tenants]; empty and not nil leaves them out.
	AuthorizationServers []string

	// Operations are those of the resource: the scopes that they need are the
	// scopes_supported, but for offline_access, which no resource needs. Nil
	// means those of the ServeMux, at the time of the request, and elsewhere
	// none.
	Operations []claims.Operation

	// Members are further members of the document, such as "resource_name",
	// "resource_documentation" or "signed_metadata". They cannot be those that
	// are written from the configuration. Nil means none. Everybody can read
	// them.
	Members map[string]any
}

// Metadata serves the metadata of a protected resource, by which clients that
// were refused find out where to get a token and for what (RFC 9728). It is for
// everybody: serve it as [claims.Public], at its path alone. It answers GET,
// HEAD and the preflights of browsers, from any origin. It is safe for
// concurrent use. [Middleware.Metadata] makes one, [ServeMux.HandleMetadata]
// registers one.
type Metadata struct {
	of         *Middleware
	servers    []string // nil for those that are trusted
	members    map[string]any
	operations func() []claims.Operation
	rest       atomic.Pointer[metadataRest]
}

// metadataRest are the members of the document but for the resource, as they
// stood at a time. It is immutable.
type metadataRest struct {
	body []byte // `,"authorization_servers":[…]…}`
	at   time.Time
}

const (
	metadataAge  = 5 * time.Minute // that caches may keep it
	metadataRead = time.Second     // that it is not read anew
)

// Metadata returns the handler of the metadata for what the Middleware guards,
// which must have a [Config].Resource. It panics if it has none, or if cfg is
// wrong, and reports everything that is. What clients ask for is a matter of
// the resource: an API of two has two Middlewares and two documents.
func (m *Middleware) Metadata(cfg MetadataConfig) *Metadata {
	m.mustBeMade("Metadata")
	members, err := cfg.validate(m)
	if err != nil {
		const here = "httpmw: Metadata: "
		panic(here + strings.ReplaceAll(err.Error(), "\n", "\n"+here))
	}
	operations := slices.Clone(cfg.Operations)
	return &Metadata{
		of: m, servers: slices.Clone(cfg.AuthorizationServers), members: members,
		operations: func() []claims.Operation { return operations },
	}
}

// HandleMetadata registers the [Metadata] of what the mux guards, for GET, HEAD
// and OPTIONS, at the path that clients look for it by [Config].Resource, and
// nowhere else. It panics where [Middleware.Metadata] and [ServeMux.Handle] do.
func (m *ServeMux) HandleMetadata(cfg MetadataConfig) {
	if m == nil || m.auth == nil {
		panic("httpmw: ServeMux was not made by NewServeMux")
	}
	metadata := m.auth.Metadata(cfg)
	if cfg.Operations == nil {
		metadata.operations = m.Operations
	}
	at := metadata.Path()
	if strings.HasSuffix(at, "/") {
		at += "{$}" // and nothing below it
	}
	m.Handle("GET "+at, claims.Public(), metadata)
	m.Handle("OPTIONS "+at, claims.Public(), metadata)
}

// Path returns the path at which clients look for the document, such as
// "/.well-known/oauth-protected-resource/orders", escaped as in a URL.
func (d *Metadata) Path() string {
	if d == nil || d.of == nil {
		return ""
	}
	return d.of.resource.metadataPath
}

// ownMembers are those that are written from the configuration.
var ownMembers = []string{
	"resource", "authorization_servers", "scopes_supported", "bearer_methods_supported",
	"dpop_signing_alg_values_supported",
}

// validate returns the further members, encoded, or all that is wrong.
func (cfg MetadataConfig) validate(m *Middleware) (members map[string]any, err error) {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.resource.metadataPath == "" {
		wrong("the Middleware has no Config.Resource")
	}
	if _, all := claims.AuthorizationServers(m.auth); !all && cfg.AuthorizationServers == nil {
		wrong("MetadataConfig.AuthorizationServers is nil, and a %T cannot list all its issuers",
			m.auth)
	}
	for i, server := range cfg.AuthorizationServers {
		if !isServer(server) {
			wrong("MetadataConfig.AuthorizationServers[%d] of %q is no https URL "+
				"without query and fragment (RFC 8414 section 2)", i, server)
		}
	}
	members = map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(cfg.Members)) {
		if slices.Contains(ownMembers, name) {
			wrong("MetadataConfig.Members has %q, which the document has already", name)
		}
		encoded, err := json.Marshal(cfg.Members[name])
		if err != nil {
			wrong("MetadataConfig.Members: %q: %w", name, err)
		}
		members[name] = json.RawMessage(encoded)
	}
	return members, errors.Join(errs...)
}

// isServer reports whether an issuer is an authorization server's identifier
// (RFC 8414 section 2), or http, as those of tests and of networks of one's own
// are: whether that may be is for the verifier to say.
func isServer(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" &&
		u.User == nil && !strings.ContainsAny(issuer, "?#{}")
}

// ServeHTTP serves the document.
func (d *Metadata) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if header.Get("Access-Control-Allow-Origin") == "" { // or a middleware has its own rule
		header.Set("Access-Control-Allow-Origin", "*")
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		header.Set("Access-Control-Allow-Methods", "GET, HEAD")
		header.Set("Access-Control-Allow-Headers", "*") // MCP clients send a version
		header.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		header.Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	body, err := d.document(r)
	if err != nil {
		d.middleware().answer(w, r, err)
		return
	}
	header.Set("Content-Type", "application/json")
	if d.of.resource.ofRequest {
		header.Set("Cache-Control", "no-store") // the host is the client's word
	} else {
		header.Set("Cache-Control",
			"public, max-age="+strconv.Itoa(int(metadataAge/time.Second)))
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a client that has gone away needs none
}

func (d *Metadata) middleware() *Middleware {
	if d == nil {
		return nil
	}
	return d.of
}

// document returns the document for a request.
func (d *Metadata) document(r *http.Request) ([]byte, error) {
	if d == nil || d.of == nil {
		return nil, claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, errNotMade)
	}
	identifier, _ := d.of.resource.of(r)
	if identifier == "" {
		return nil, claims.NewError(claims.ErrInvalidRequest, claims.ReasonMalformedCredentials,
			errors.New("httpmw: the request has no host"))
	}
	resource, err := json.Marshal(identifier)
	if err != nil {
		return nil, err
	}
	rest, err := d.readRest(time.Now())
	if err != nil {
		return nil, err
	}
	return slices.Concat([]byte(`{"resource":`), resource, rest), nil
}

// readRest returns the members after the resource. They are read anew once a
// second at most, whoever asks: an issuer table can be long.
func (d *Metadata) readRest(now time.Time) ([]byte, error) {
	if last := d.rest.Load(); last != nil && now.Sub(last.at) < metadataRead {
		return last.body, nil
	}
	members := maps.Clone(d.members)
	members["bearer_methods_supported"] = d.of.from.bearerMethods()
	for _, scheme := range d.of.guard.Schemes() {
		if strings.EqualFold(scheme.Name, "DPoP") && scheme.Algorithms != "" {
			members["dpop_signing_alg_values_supported"] = strings.Fields(scheme.Algorithms)
		}
	}
	servers := d.servers
	if servers == nil {
		servers, _ = claims.AuthorizationServers(d.of.auth)
		servers = slices.DeleteFunc(servers, func(s string) bool { return !isServer(s) })
	}
	if len(servers) > 0 { // an empty array must be left out (RFC 9728 section 3.2)
		members["authorization_servers"] = servers
	}
	scopes := claims.AccessTable(d.operations()).Scopes()
	scopes = slices.DeleteFunc(scopes, func(scope string) bool { return scope == "offline_access" })
	if len(scopes) > 0 {
		members["scopes_supported"] = scopes
	}
	body, err := json.Marshal(members)
	if err != nil {
		return nil, claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, err)
	}
	body[0] = ',' // instead of the brace
	d.rest.Store(&metadataRest{body, now})
	return body, nil
}
