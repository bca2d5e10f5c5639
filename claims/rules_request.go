package claims

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// maxWorkspace is longer than what anybody calls a workspace, in bytes.
const maxWorkspace = 256

// Func needs f to allow the caller, which is never nil. The name is for reading:
// it stands in the requirement's String. A result of false refuses with
// [ErrForbidden]. An error refuses whatever the result: with the class that it
// matches if it is one of this package's sentinels, otherwise with
// [ErrUnavailable], which f must not bring about by what the caller sent.
//
// For a stream whose requirement has a [RequestFunc] too, f is asked when the stream
// starts and again at its first message.
func Func(name string, f func(ctx context.Context, caller *Claims) (bool, error)) Requirement {
	return valid(&funcRule{name, f})
}

type funcRule struct {
	name  string
	allow func(context.Context, *Claims) (bool, error)
}

func (f *funcRule) check(q *query) error {
	if q.quiet {
		return errPermission
	}
	return verdictOf(f.allow(q.ctx, q.call.caller))
}

// verdictOf returns the refusal that the result of a user's function is, if any.
func verdictOf(allowed bool, err error) error {
	switch {
	case err == nil && allowed:
		return nil
	case err == nil:
		return errPermission
	}
	if _, ok := classOf(err); ok {
		return AsError(err)
	}
	return NewError(ErrUnavailable, ReasonUndecided, err)
}

func (f *funcRule) wants(*query, wants) wants { return wants{} }
func (f *funcRule) local() bool               { return false }
func (f *funcRule) equal(other rule) bool     { return other == f }
func (f *funcRule) String() string            { return "Func(" + strconv.Quote(f.name) + ")" }

func (f *funcRule) validate() error {
	if f.allow == nil {
		return fmt.Errorf("claims: Func(%q) has no function", f.name)
	}
	return nil
}

// RequestFunc is [Func] for a function that looks at the request as well: R is
// *http.Request over HTTP, where path values are set if the middleware stands behind
// the router. Over gRPC it is the type of the decoded request message, or an
// interface that it has, such as one with a GetWorkspace method; of a stream it is
// the first message, before which the handler can send nothing. [Recheck] looks at it
// again, so the handler must not change it, or receive another message into it.
//
// A request that is no R is refused. The transports find that out when they are
// made, or by [Requirement.ValidateFor].
func RequestFunc[R any](
	name string, f func(ctx context.Context, caller *Claims, request R) (bool, error),
) Requirement {
	r := &requestRule{name: name, fits: isA[R]}
	if f != nil {
		r.allow = func(ctx context.Context, caller *Claims, request any) (bool, error) {
			return f(ctx, caller, request.(R))
		}
	}
	return valid(r)
}

func isA[R any](request any) error {
	if _, ok := request.(R); !ok {
		return fmt.Errorf("wants a %s, which a %T is not", typeName[R](), request)
	}
	return nil
}

func typeName[R any]() string { return fmt.Sprintf("%T", (*R)(nil))[1:] }

type requestRule struct {
	name  string
	fits  func(request any) error
	allow func(context.Context, *Claims, any) (bool, error)
}

func (r *requestRule) check(q *query) error {
	if q.quiet {
		return errPermission
	}
	if q.awaits() {
		return nil
	}
	request := q.call.message()
	if err := r.fits(request); err != nil {
		return NewError(ErrForbidden, ReasonPermission, fmt.Errorf("claims: %s %w", r, err))
	}
	return verdictOf(r.allow(q.ctx, q.call.caller, request))
}

func (r *requestRule) wants(*query, wants) wants { return wants{} }
func (r *requestRule) local() bool               { return false }
func (r *requestRule) equal(other rule) bool     { return other == r }
func (r *requestRule) String() string            { return "RequestFunc(" + strconv.Quote(r.name) + ")" }

func (r *requestRule) validate() error {
	if r.allow == nil {
		return fmt.Errorf("claims: RequestFunc(%q) has no function", r.name)
	}
	return nil
}

// InWorkspace needs the permissions in needs to be the caller's in a workspace, or
// tenant, or whatever the [PermissionSource] divides its [Grants] by; those that it
// grants everywhere count as well. What the token itself says is of no workspace and
// does not count. It is for a part of a request, with [Allowed] or [Filter]; the name may
// be the caller's: if it is empty, or longer than 256 bytes, he is refused.
func InWorkspace(workspace string, needs Requirement) Requirement {
	text := workspace[:min(len(workspace), maxWorkspace)] // it may be the caller's
	return valid(&inWorkspace{
		text: strconv.Quote(text), workspace: workspace, needs: needs,
		name: "InWorkspace",
	})
}

// InWorkspaceOf is [InWorkspace] with the workspace that the request names, which the
// function finds: in a path value, a header, a field of the message. R is as for
// [RequestFunc]; the name is for reading. A request without a workspace is refused,
// with [ErrForbidden], and so is one of more than 256 bytes.
//
// The handler finds the workspace by [WorkspaceFromContext]. It should use that and not
// look for another: the first message of a stream decides, and what further messages
// name was not asked about.
func InWorkspaceOf[R any](
	name string, workspace func(request R) string, needs Requirement,
) Requirement {
	w := &inWorkspace{
		text: strconv.Quote(name), needs: needs, fits: isA[R],
		name: "InWorkspaceOf",
	}
	if workspace != nil {
		w.of = func(request any) string { return workspace(request.(R)) }
	}
	return valid(w)
}

type inWorkspace struct {
	name, text string
	workspace  string
	fits       func(request any) error // nil for InWorkspace
	of         func(request any) string
	needs      Requirement
}

func (w *inWorkspace) check(q *query) error {
	workspace := w.workspace
	if w.fits != nil {
		if q.awaits() {
			return nil
		}
		var err error
		if workspace, err = w.named(q.call); err != nil {
			return err
		}
	}
	// Without one, what is granted everywhere would do for what is nowhere.
	if workspace == "" || len(workspace) > maxWorkspace {
		return errPermission
	}
	outside := q.workspace
	q.workspace = workspace
	err := w.needs.check(q)
	q.workspace = outside
	if err == nil && q.found.by == nil {
		q.found = site{workspace, w}
	}
	return err
}

// named returns the workspace that the request names, or that it named when it was
// decided: its message may be another by now.
func (w *inWorkspace) named(c *call) (string, error) {
	if c.placed.Load() && c.workspace.by == w {
		return c.workspace.name, nil
	}
	request := c.message()
	if err := w.fits(request); err != nil {
		return "", NewError(ErrForbidden, ReasonPermission, fmt.Errorf("claims: %s %w", w, err))
	}
	return w.of(request), nil
}

func (w *inWorkspace) wants(q *query, with wants) wants {
	name, known := w.workspace, q != nil
	if known && w.fits != nil {
		var err error
		name, err = w.named(q.call)
		known = err == nil
	}
	if !known {
		return w.needs.wants(nil, with)
	}
	outside := q.workspace
	q.workspace = name
	defer func() { q.workspace = outside }()
	return w.needs.wants(q, with)
}

func (w *inWorkspace) local() bool { return false }

func (w *inWorkspace) String() string {
	return w.name + "(" + w.text + ", " + w.needs.String() + ")"
}

func (w *inWorkspace) equal(other rule) bool {
	o, ok := other.(*inWorkspace)
	return other == w || ok && w.fits == nil && o.fits == nil &&
		w.workspace == o.workspace && w.needs.Equal(o.needs)
}

func (w *inWorkspace) validate() error {
	var errs []error
	if w.fits == nil && (w.workspace == "" || len(w.workspace) > maxWorkspace) {
		errs = append(errs, fmt.Errorf(
			"claims: InWorkspace needs a workspace of 1 to %d bytes", maxWorkspace))
	}
	if w.fits != nil && w.of == nil {
		errs = append(errs, fmt.Errorf("claims: InWorkspaceOf(%s) has no function", w.text))
	}
	found, nested := false, false
	each(w.needs, func(r rule) {
		switch r.(type) {
		case *permissions:
			found = true
		case *inWorkspace:
			nested = true
		}
	})
	if !found || meetsAll(w.needs) {
		errs = append(errs, fmt.Errorf(
			"claims: %s needs no Permissions, which alone belong to workspaces", w))
	}
	if nested {
		errs = append(errs, fmt.Errorf("claims: %s has a workspace in a workspace", w))
	}
	return errors.Join(append(errs, validateParts(w.name, []Requirement{w.needs}))...)
}

// each calls f for every rule in a requirement, nil for that of Authenticated.
func each(r Requirement, f func(rule)) {
	f(r.rule)
	var parts []Requirement
	switch rule := r.rule.(type) {
	case *invalid:
		parts = []Requirement{{rule.rule}}
	case *allOf:
		parts = rule.needs
	case *anyOf:
		parts = rule.alternatives
	case *inWorkspace:
		parts = []Requirement{rule.needs}
	case *reportOnly:
		parts = []Requirement{rule.needs}
	}
	for _, part := range parts {
		each(part, f)
	}
}
