package httpauth_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

func TestPrepared(t *testing.T) {
	t.Parallel()
	made := 0
	p := httpauth.Prepare(func(refusal *claims.Error) string {
		made++
		return refusal.Class().Error() + " " + string(refusal.Reason())
	})
	refusals := claims.Refusals()
	assert.Equal(t, len(refusals), made)
	for _, refusal := range refusals {
		assert.Equal(t, refusal.Class().Error()+" "+string(refusal.Reason()), p.For(refusal))
	}
	assert.Equal(t, len(refusals), made, "made once")

	// Another reason, and a reason beside another class than its own.
	assert.Equal(t, "claims: forbidden own",
		p.For(claims.NewError(claims.ErrForbidden, "own", nil)))
	assert.Equal(t, "claims: forbidden expired",
		p.For(claims.NewError(claims.ErrForbidden, claims.ReasonExpired, nil)))
	assert.Equal(t, len(refusals)+2, made)

	assert.Empty(t, httpauth.Prepared[string]{}.For(refusals[0]), "the zero value")
}
