package claims

import (
	"errors"
	"fmt"
	"strconv"
)

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

// maxWorkspace is longer than what anybody calls a workspace, in bytes.
const maxWorkspace = 256
