package claims

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// InWorkspace needs the permissions in needs to be the caller's in a workspace:
// a tenant, a project, or whatever else the [PermissionSource] divides its
// [Grants] by. Grants that hold everywhere count as well; permissions in the
// token do not, as they name no workspace.
//
// It is for a part of a request, with [Allowed] or [Filter]. The workspace may
// come from the caller: an empty one, or one of more than 256 bytes, is
// refused.
func InWorkspace(workspace string, needs Requirement) Requirement {
	text := workspace[:min(len(workspace), maxWorkspace)] // it may be the caller's
	return valid(&inWorkspace{
		quoted: strconv.Quote(text), workspace: workspace, needs: needs,
		name: "InWorkspace",
	})
}

// InWorkspaceOf is [InWorkspace] with the workspace that the request names, in
// a path value, a header or a field of the message: the function returns it. R
// is as for [RequestFunc]; the name is for reading. A request without a
// workspace, or with one of more than 256 bytes, is refused with
// [ErrForbidden].
//
// The handler finds the workspace by [WorkspaceFromContext]. It should use that
// one and no other: the first message of a stream decides, and no later message
// was asked about.
func InWorkspaceOf[R any](
	name string, workspace func(request R) string, needs Requirement,
) Requirement {
	w := &inWorkspace{
		quoted: strconv.Quote(name), needs: needs, isA: isA[R],
		name: "InWorkspaceOf",
	}
	if workspace != nil {
		w.of = func(request any) string { return workspace(request.(R)) }
	}
	return valid(w)
}

type inWorkspace struct {
	text      text
	name      string
	quoted    string // which workspace, for reading
	workspace string
	isA       func(request any) error // nil for InWorkspace
	of        func(request any) string
	needs     Requirement
}

func (w *inWorkspace) check(q *query) error {
	workspace := w.workspace
	if w.isA != nil {
		if !w.isDecided(q.main) && q.awaits() {
			return nil
		}
		var err error
		if workspace, err = w.named(q.main); err != nil {
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

// named returns the workspace that the request names, or named when it was
// decided: its message may be another by now.
func (w *inWorkspace) named(c *call) (string, error) {
	if w.isDecided(c) {
		return c.workspace.name, nil
	}
	request := c.message()
	if err := w.isA(request); err != nil {
		return "", NewError(ErrForbidden, ReasonPermission, fmt.Errorf("claims: %s %w", w, err))
	}
	var name string
	err := foreign.Call(w, func() error {
		name = w.of(request)
		return nil
	})
	if err != nil {
		return "", undecided(c, ReasonUndecided, err)
	}
	return name, nil
}

// isDecided reports whether the call has a workspace by this requirement.
func (w *inWorkspace) isDecided(c *call) bool { return c.placed.Load() && c.workspace.by == w }

func (w *inWorkspace) wants(q *query, acr []string) wants {
	name, known := w.workspace, q != nil
	if known && w.isA != nil {
		var err error
		name, err = w.named(q.main)
		known = err == nil
	}
	if !known {
		return w.needs.wants(nil, acr)
	}
	outside := q.workspace
	q.workspace = name
	defer func() { q.workspace = outside }()
	return w.needs.wants(q, acr)
}

func (w *inWorkspace) local() bool          { return false }
func (w *inWorkspace) parts() []Requirement { return []Requirement{w.needs} }

func (w *inWorkspace) fits(request any) error {
	if w.isA == nil {
		return nil
	}
	return w.isA(request)
}

func (w *inWorkspace) String() string {
	return w.text.or(func() string {
		return w.name + "(" + w.quoted + ", " + w.needs.String() + ")"
	})
}

func (w *inWorkspace) equal(other rule) bool {
	o, ok := other.(*inWorkspace)
	return other == w || ok && w.isA == nil && o.isA == nil &&
		w.workspace == o.workspace && w.needs.Equal(o.needs)
}

func (w *inWorkspace) validate() error {
	var errs []error
	if w.isA == nil && (w.workspace == "" || len(w.workspace) > maxWorkspace) {
		errs = append(errs, fmt.Errorf(
			"claims: InWorkspace needs a workspace of 1 to %d bytes", maxWorkspace))
	}
	if w.isA != nil && w.of == nil {
		errs = append(errs, fmt.Errorf("claims: InWorkspaceOf(%s) has no function", w.quoted))
	}
	found, nested := false, false
	w.needs.each(func(r Requirement) {
		switch r.rule.(type) {
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
	if hasSecond(w.needs) {
		errs = append(errs, fmt.Errorf(
			"claims: %s has a Second in a workspace: write the workspace in the Second", w))
	}
	parts := []Requirement{w.needs}
	return errors.Join(append(errs,
		validateParts(w.name, parts), validateNoOptional(w.name, parts))...)
}

// maxWorkspace is longer than what anybody calls a workspace, in bytes.
const maxWorkspace = 256
