package main

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

// errBadOrder is a body of POST /revocations that is not what it should be.
var errBadOrder = errors.New(`the body must be a JSON object of "issuer" and any of "subject", ` +
	`"client_id", "session", "token" and "before"`)

// revoke ends what the administrator names.
func (n *news) revoke(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !n.isAdmin(r) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="orders-admin"`)
		demo.WriteProblem(w, http.StatusUnauthorized, "the administrator's token is required")
		return
	}
	var in struct {
		Issuer   string    `json:"issuer"`
		Subject  string    `json:"subject"`
		ClientID string    `json:"client_id"`
		Session  string    `json:"session"`
		Token    string    `json:"token"`
		Before   time.Time `json:"before"`
	}
	if err := demo.ReadJSON(w, r, &in, errBadOrder); err != nil {
		writeProblem(w, err)
		return
	}
	entry := revocation.Entry{
		Issuer: in.Issuer, Subject: in.Subject, ClientID: in.ClientID,
		Session: in.Session, Token: in.Token, Before: in.Before,
	}
	switch err := n.table.Revoke(r.Context(), entry); {
	case errors.Is(err, revocation.ErrNotShared):
		w.Header().Set("Retry-After", "5")
		demo.WriteProblem(w, http.StatusServiceUnavailable, "it has ended on this replica alone")
	case err != nil: // it is not as an entry must be
		writeProblem(w, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// isAdmin reports whether a request has the administrator's token. Hashes are
// compared, so that the time tells nothing of its length either.
func (n *news) isAdmin(r *http.Request) bool {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	got, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(n.flags.adminToken))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}
