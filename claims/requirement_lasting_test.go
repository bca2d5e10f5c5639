package claims_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
)

// How long something lasts is said of a whole operation, once, and reads so in
// the access table.
func TestEndsWithToken_Validate(t *testing.T) {
	t.Parallel()
	read := claims.Scopes("read")
	ends, outlives := claims.EndsWithToken(read), claims.MayOutlive(read)
	for _, r := range []claims.Requirement{ends, outlives, claims.EndsWithToken(claims.Optional())} {
		assert.NoError(t, r.Validate(), "%s", r)
	}
	for want, r := range map[string]claims.Requirement{
		"no token to end with":      claims.EndsWithToken(claims.Public()),
		"one or the other":          claims.MayOutlive(ends),
		"EndsWithToken is of a who": claims.All(ends, claims.Scopes("write")),
		"MayOutlive is of a whole":  claims.AnyOf(outlives, claims.Scopes("write")),
		"cannot be part of Report":  claims.ReportOnly(ends),
		"needs at least one scope":  claims.EndsWithToken(claims.Scopes()),
	} {
		assert.ErrorContains(t, r.Validate(), want, "%s", r)
	}
	assert.Equal(t, `EndsWithToken(Scopes("read"))`, ends.String())
	assert.Equal(t, `MayOutlive(Scopes("read"))`, outlives.String())
	assert.True(t, ends.Equal(claims.EndsWithToken(claims.Scopes("read"))))
	assert.False(t, ends.Equal(outlives))
	assert.False(t, ends.Equal(read))
	assert.True(t, ends.EndsWithToken() && !ends.MayOutlive())
	assert.True(t, outlives.MayOutlive() && !outlives.EndsWithToken())
	assert.False(t, read.EndsWithToken() || read.MayOutlive())
}
