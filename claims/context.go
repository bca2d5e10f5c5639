package claims

import "context"

type contextKey struct{}

// NewContext returns a context that carries the caller's claims. The transports
// call it before the handler; a test of a handler may as well, with claims from
// [FromJSON].
func NewContext(ctx context.Context, caller *Claims) context.Context {
	return context.WithValue(ctx, contextKey{}, caller)
}

// FromContext returns the claims of the caller whose request ctx belongs to. It
// reports false where there are none: outside a guarded handler, or in a public
// operation, whose credentials are not looked at.
func FromContext(ctx context.Context) (*Claims, bool) {
	caller, ok := ctx.Value(contextKey{}).(*Claims)
	return caller, ok && caller != nil
}

// Allowed asks, inside a handler, whether the caller may do a part of what was
// asked: see a field, change a row. It returns nil if so, otherwise the [*Error]
// that a transport would refuse the whole operation with: [ErrNoToken] where
// the context carries no claims, [ErrInsufficientScope], [ErrForbidden], or
// [ErrUnavailable] where it can not be decided.
func Allowed(ctx context.Context, needs Requirement) error {
	if needs.IsPublic() {
		return nil
	}
	caller, ok := FromContext(ctx)
	if !ok {
		return errNoToken
	}
	return needs.Check(ctx, caller)
}
