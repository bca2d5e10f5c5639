package httpmw_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// A reason of the user's own has a body, and what asks for nothing has no
// challenge.
func TestRefuse_own(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	recorder := httptest.NewRecorder()
	auth.Refuse(recorder, httptest.NewRequest(http.MethodGet, "/", nil), claims.NewError(claims.ErrForbidden, "own_reason", nil))
	assert.Equal(t, http.StatusForbidden, recorder.Code)
	var body struct{ Reason string }
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &body))
	assert.Equal(t, "own_reason", body.Reason)
	recorder = httptest.NewRecorder()
	auth.Refuse(recorder, httptest.NewRequest(http.MethodGet, "/", nil), claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, nil))
	assert.NotContains(t, recorder.Header(), "Www-Authenticate")
}

func TestRefuse_roundsRetryAfterUp(t *testing.T) {
	t.Parallel()
	issuer, auth := guard(t)
	issuer.Fail(http.StatusInternalServerError)
	token := "Bearer " + issuer.Mint(claimstest.Token{})
	get(t, auth.Wrap(&spy{}), token)
	// The first failure is followed by one fetch about a second later.
	assert.Contains(t, []string{"1", "2"}, get(t, auth.Wrap(&spy{}), token).header.Get("Retry-After"))
}
