package receiver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// GlobalConfig says whose tokens a [Global] ends.
type GlobalConfig struct {
	// Issuers are those whose tokens may end. Required. A subject of the format
	// "iss_sub" names one of them; any other is ended at all.
	Issuers []string

	// Resolve is [EventsConfig].Resolve. An empty answer is a user nobody knows
	// here, which the caller is told.
	Resolve func(ctx context.Context, format, value string) (subject string, err error)

	// Observer is told of each request, if it is not nil. It must be quick and
	// safe for concurrent use; a panic is recovered.
	Observer func(ctx context.Context, e Event)

	// Logger gets a line for each refusal. The table logs what ends. Nil means
	// [slog.Default].
	Logger *slog.Logger
}

// Global receives the order to end all tokens of one user (Global Token
// Revocation, draft-parecki-oauth-global-token-revocation): a JSON object whose
// "sub_id" is a subject identifier of RFC 9493. It is an http.Handler for POST,
// safe for concurrent use. [NewGlobal] makes one.
//
// It does not authenticate who calls: put it behind the middleware, with a
// scope of its own,
//
//	mux.Handle("POST /global-token-revocation", claims.Scopes("revoke"), global)
//
// and it refuses everything where it finds no caller. All who may call it may
// end the tokens of every user of the issuers.
//
// The answer is 204, 400 for a request that is not understood, 401 without a
// caller, 404 for a user nobody knows, 422 for an identifier that tells no user
// here, and 503 where it cannot be decided.
type Global struct {
	*inbox
	issuers []string
	resolve func(ctx context.Context, format, value string) (string, error)
}

// NewGlobal returns a Global that tells the table. It does no I/O. The error
// reports everything that is wrong with its arguments.
func NewGlobal(table Table, cfg GlobalConfig) (*Global, error) {
	r := reporter{of: "NewGlobal"}
	g := &Global{
		inbox: newInbox(table, r.report), issuers: slices.Clone(cfg.Issuers), resolve: cfg.Resolve,
	}
	g.observer, g.logger = cfg.Observer, cfg.Logger
	if len(cfg.Issuers) == 0 || slices.Contains(cfg.Issuers, "") {
		r.report("Config.Issuers of %q is required, without an empty one", cfg.Issuers)
	}
	if len(r.errs) > 0 {
		return nil, errors.Join(r.errs...)
	}
	return g, nil
}

// ServeHTTP ends the tokens of one user.
func (g *Global) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isPost(w, r) {
		return
	}
	caller, ok := claims.FromContext(r.Context())
	if !ok {
		g.tell(r.Context(), "", 0, refuse(reasonSender, errors.New("there is no caller")))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	entries, err := g.read(w, r)
	known := len(entries) > 0
	if err == nil {
		err = g.apply(r.Context(), entries)
	}
	g.tell(r.Context(), caller.Issuer(), len(entries), err)
	var refused *refusal
	switch {
	case err == nil && known:
		w.WriteHeader(http.StatusNoContent)
	case err == nil:
		w.WriteHeader(http.StatusNotFound)
	case !errors.As(err, &refused), refused.name == reasonUnavailable.name:
		askAgain(w)
	case refused.name == reasonSubject.name:
		w.WriteHeader(http.StatusUnprocessableEntity)
	default:
		w.WriteHeader(http.StatusBadRequest)
	}
}

// read returns what a request ends, nothing for a user nobody knows. The error
// is a [*refusal].
func (g *Global) read(w http.ResponseWriter, r *http.Request) ([]revocation.Entry, error) {
	if err := wantType(r, "application/json"); err != nil {
		return nil, err
	}
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	order, err := signed.ParseObject(string(body))
	if err != nil {
		return nil, refuse(reasonRequest, err)
	}
	id, err := order.Object("sub_id")
	if err != nil {
		return nil, refuse(reasonRequest, err)
	}
	format, err := id.String("format")
	if err != nil || format == "" {
		return nil, refuse(reasonRequest, errors.Join(err, errors.New("sub_id has no format")))
	}
	return g.entries(r.Context(), format, id)
}

// entries returns what ends, by a subject identifier.
func (g *Global) entries(
	ctx context.Context, format string, id signed.Object,
) ([]revocation.Entry, error) {
	name := members[format]
	switch format {
	case "iss_sub":
		issuer, err := g.member(id, "iss")
		if err != nil {
			return nil, err
		}
		if !slices.Contains(g.issuers, issuer) {
			return nil, refuse(reasonSubject, fmt.Errorf("the issuer %.200q is another", issuer))
		}
		subject, err := g.member(id, "sub")
		if err != nil {
			return nil, err
		}
		return []revocation.Entry{{Issuer: issuer, Subject: subject, Before: time.Now()}}, nil
	case "opaque":
		name = "id"
	}
	value, err := id.Text(), error(nil)
	if name != "" {
		if value, err = g.member(id, name); err != nil {
			return nil, err
		}
	}
	if format != "opaque" {
		if value, err = g.ask(ctx, format, value); err != nil || value == "" {
			return nil, err
		}
	}
	var entries []revocation.Entry
	for _, issuer := range g.issuers {
		entries = append(entries,
			revocation.Entry{Issuer: issuer, Subject: value, Before: time.Now()})
	}
	return entries, nil
}

func (g *Global) member(id signed.Object, name string) (string, error) {
	value, err := identifier(id, name)
	if err == nil && value == "" {
		err = fmt.Errorf("sub_id has no %q", name)
	}
	if err != nil {
		return "", refuse(reasonRequest, err)
	}
	return value, nil
}

// ask asks the user's code who is meant.
func (g *Global) ask(ctx context.Context, format, value string) (string, error) {
	return resolve(ctx, "receiver: GlobalConfig.Resolve", g.resolve, format, value)
}

// resolve asks the user's code who is meant. The error is a [*refusal].
func resolve(
	ctx context.Context, name foreign.Name,
	code func(ctx context.Context, format, value string) (string, error), format, value string,
) (string, error) {
	if code == nil || format == "" {
		return "", refuse(reasonSubject, fmt.Errorf("the format %.100q is not understood", format))
	}
	subject, err := foreign.Within(ctx, name, resolveTimeout, nil,
		func(ctx context.Context) (string, error) { return code(ctx, format, value) })
	if err != nil {
		return "", refuse(reasonUnavailable, err)
	}
	return subject, nil
}
