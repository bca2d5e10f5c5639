//go:build !race

package httpauth_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// What a field holds is found without an allocation, however long it is.
func TestBudget_Parse(t *testing.T) {
	for name, field := range map[string]string{
		"token": "Bearer " + strings.Repeat("a", 16<<10), "alone": "Bearer", "empty": "",
		"spaces": "Bearer" + strings.Repeat(" ", 16<<10), "token alone": strings.Repeat("a.", 8<<10),
	} {
		fields := []string{field}
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = httpauth.Parse(fields) }), name)
	}
}

// A challenge is one allocation for each part that is not prepared.
func TestBudget_Field(t *testing.T) {
	challenge := challengeOf(t, params("algs", "ES256"))
	for allocations, refusal := range map[float64]*claims.Error{
		0: claims.NewError(claims.ErrNoToken, claims.ReasonNoToken, nil),
		1: claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil),
	} {
		got := testing.AllocsPerRun(100, func() { _ = challenge.Field(refusal) })
		assert.LessOrEqual(t, got, allocations, refusal)
	}
}
