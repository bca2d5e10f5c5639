// Package presented hands the token of a request to whoever asks about it again
// while the request lasts, and to nobody else: handlers cannot get at it.
package presented

import "context"

// Key is the key of the token in a context.
type Key struct{}

// With returns a context that has the token.
func With(ctx context.Context, token string) context.Context {
	return context.WithValue(ctx, Key{}, token)
}

// Token returns the token, empty if there is none.
func Token(ctx context.Context) string {
	token, _ := ctx.Value(Key{}).(string)
	return token
}
