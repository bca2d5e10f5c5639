package httpmw

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// problem is the body of a refusal (RFC 9457). Its type is "about:blank", which
// is left out.
type problem struct {
	Title  string        `json:"title"`
	Status int           `json:"status"`
	Detail string        `json:"detail"`
	Reason claims.Reason `json:"reason"`
}

// Refuse writes the answer to a request that is refused for err, which must not
// be nil: the error of [Middleware.Admit], or of [claims.Allowed] inside a
// handler that has not written yet. Nothing of err but its class, its reason
// and what it asks the client for is written.
//
// What the handler has said of its own body, such as its ETag or
// Content-Encoding, is dropped. What a middleware before the guard has said of
// the body that it writes stays, and so does a challenge of its own. A
// middleware between the guard and the handler counts as the handler: put one
// that compresses before the guard.
//
// The Content-Length is that of the answer, so that nothing which is written
// after it by mistake reaches the client.
func (m *Middleware) Refuse(w http.ResponseWriter, err error) {
	if early := (*notAdmitted)(nil); !errors.As(err, &early) {
		drop(w.Header())
	}
	m.answer(w, nil, err)
}

// answer is Refuse where no handler has run. The request is nil if it is not
// known.
func (m *Middleware) answer(w http.ResponseWriter, r *http.Request, err error) {
	refusal := claims.AsError(err)
	status := statusOf(refusal.Class())
	body := bodies.For(refusal)
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	if header.Get("Content-Encoding") == "" && header.Get("Trailer") == "" {
		header.Set("Content-Length", strconv.Itoa(len(body)))
	} else { // it is known to whoever encodes the body; one with trailers has none
		header.Del("Content-Length")
	}
	m.challengeIn(header, r, refusal)
	if status == http.StatusServiceUnavailable {
		// Whole seconds, rounded up: never sooner than it is worth.
		seconds := int64((refusal.RetryAfter() + time.Second - 1) / time.Second)
		header.Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that has gone away needs none
}

// challengeIn adds the challenge of a refusal to those of others, such as a
// middleware that also takes Basic, but not to its own.
func (m *Middleware) challengeIn(header http.Header, r *http.Request, refusal *claims.Error) {
	challenge := m.challengeFor(r)
	field := challenge.Field(refusal)
	if field == "" {
		return
	}
	const name = "Www-Authenticate"
	if others := header[name]; len(others) > 0 {
		bare := challenge.Field(nil)
		header[name] = slices.DeleteFunc(slices.Clone(others), func(other string) bool {
			return other == bare || other == field
		})
	}
	header.Add(name, field)
}

// challengeFor returns the challenge for a request.
func (m *Middleware) challengeFor(r *http.Request) httpauth.Challenge {
	if m == nil {
		return httpauth.Challenge{}
	}
	if !m.resource.ofRequest {
		return m.challenge
	}
	_, metadataURL := m.resource.of(r)
	challenge, err := newChallenge(m.realm, metadataURL)
	if err != nil { // of a host that cannot stand in a challenge
		return m.challenge
	}
	return challenge
}

// bodies are those of the answers.
var bodies = httpauth.Prepare(bodyOf)

func bodyOf(refusal *claims.Error) []byte {
	status := statusOf(refusal.Class())
	// Of strings and a number, which can always be encoded.
	body, _ := json.Marshal(problem{
		Title:  http.StatusText(status),
		Status: status,
		Detail: refusal.Text(),
		Reason: refusal.Reason(),
	})
	return append(body, '\n')
}

func statusOf(class error) int {
	switch class {
	case claims.ErrInvalidRequest:
		return http.StatusBadRequest
	case claims.ErrInsufficientScope, claims.ErrForbidden:
		return http.StatusForbidden
	case claims.ErrUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnauthorized
}
