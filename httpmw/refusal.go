package httpmw

import (
	"encoding/json"
	"net/http"
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
// be nil: the error of [Middleware.Check], or of [claims.Allowed] inside a
// handler that has not written yet. Nothing of err but its class, its reason and
// what it asks the client for is written.
func (m *Middleware) Refuse(w http.ResponseWriter, err error) {
	refusal := claims.AsError(err)
	status := statusOf(refusal.Class())
	header := w.Header()
	// What the handler may have said of a body that is not sent now.
	for _, name := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified"} {
		header.Del(name)
	}
	header.Set("Content-Type", "application/problem+json")
	header.Set("Cache-Control", "no-store")
	if field := m.challenge.Field(refusal); field != "" {
		header.Set("WWW-Authenticate", field)
	}
	if status == http.StatusServiceUnavailable {
		// Whole seconds, rounded up: never sooner than it is worth.
		seconds := int64((refusal.RetryAfter() + time.Second - 1) / time.Second)
		header.Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(bodies.For(refusal)) // a client that has gone away needs none
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
