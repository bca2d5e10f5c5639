package httpmw

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// Refuse writes the answer to the request r, which is refused for err, which
// must not be nil: the error of [Middleware.Admit], or of [claims.Allowed]
// inside a handler that has not written yet. Nothing of err but its class, its
// reason and what it asks the client for is written. The body is that of
// Config.Body, or has the form that the Accept field of r asks for; where r is
// nil it is a problem document.
//
// What the handler has said of its own body, such as its ETag or
// Content-Encoding, is dropped. What a middleware before the guard has said of
// the body that it writes stays, and so does a challenge of its own. A
// middleware between the guard and the handler counts as the handler: put one
// that compresses before the guard.
//
// The Content-Length is that of the answer, so that nothing which is written
// after it by mistake reaches the client.
func (m *Middleware) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	early := (*notAdmitted)(nil)
	if errors.As(err, &early) {
		maps.Copy(w.Header(), early.response)
	} else {
		drop(w.Header())
	}
	m.answer(w, r, err)
}

// answer is Refuse where no handler has run. The request is nil if it is not
// known.
func (m *Middleware) answer(w http.ResponseWriter, r *http.Request, err error) {
	refusal := claims.AsError(err)
	status := statusOf(refusal.Class())
	mediaType, body := m.bodyOf(r, refusal)
	header := w.Header()
	header.Set("Content-Type", mediaType)
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

// challengeIn adds the challenges of a refusal to those of others, such as a
// middleware that also takes Basic, but not to its own.
func (m *Middleware) challengeIn(header http.Header, r *http.Request, refusal *claims.Error) {
	challenge := m.challengeFor(r)
	var schemes []claims.Scheme
	if m != nil {
		schemes = m.guard.Schemes()
	}
	fields := challenge.Fields(refusal, schemes)
	if len(fields) == 0 {
		return
	}
	const name = "Www-Authenticate"
	if others := header[name]; len(others) > 0 {
		bare := challenge.Fields(nil, schemes)
		others = slices.DeleteFunc(slices.Clone(others), func(other string) bool {
			return slices.Contains(bare, other) || slices.Contains(fields, other)
		})
		fields = append(others, fields...)
	}
	header[name] = fields
}

// challengeFor returns the challenge for a request.
func (m *Middleware) challengeFor(r *http.Request) httpauth.Challenge {
	if m == nil {
		return httpauth.Challenge{}
	}
	if !m.resource.ofRequest || r == nil {
		return m.challenge
	}
	_, metadataURL := m.resource.of(r)
	challenge, err := newChallenge(m.realm, metadataURL)
	if err != nil { // of a host that cannot stand in a challenge
		return m.challenge
	}
	return challenge
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
