package httpmw

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// Problem is what a refusal tells a client in its body (RFC 9457). Its type is
// "about:blank", which is left out. It has nothing of the token, nor of what is
// behind the refusal.
type Problem struct {
	Title  string        `json:"title"`  // of the status, such as "Forbidden"
	Status int           `json:"status"` // of the response
	Detail string        `json:"detail"` // one fixed sentence for each reason
	Reason claims.Reason `json:"reason"`

	// Credential is the name of the credential that it is about, empty if it is
	// the first: see [Config.Second].
	Credential string `json:"credential,omitempty"`
}

// format is a form that the body of a refusal can have.
type format struct {
	mediaType string
	written   string // Content-Type
	bodies    httpauth.Prepared[[]byte]
}

// formats are what a client can choose from, the first unless it does.
var formats = []format{
	{"application/problem+json", "application/problem+json", httpauth.Prepare(inJSON)},
	{"application/json", "application/json", httpauth.Prepare(inJSON)},
	{"text/plain", "text/plain; charset=utf-8", httpauth.Prepare(inText)},
}

func problemOf(refusal *claims.Error) Problem {
	status := statusOf(refusal.Class())
	return Problem{
		Title: http.StatusText(status), Status: status, Detail: refusal.Text(),
		Reason: refusal.Reason(), Credential: refusal.Second(),
	}
}

func inJSON(refusal *claims.Error) []byte {
	// Of strings and a number, which can always be encoded.
	body, _ := json.Marshal(problemOf(refusal))
	return append(body, '\n')
}

func inText(refusal *claims.Error) []byte { return []byte(refusal.Text() + "\n") }

// bodyOf returns the body of a refusal and its Content-Type. The request is nil
// if it is not known.
func (m *Middleware) bodyOf(r *http.Request, refusal *claims.Error) (string, []byte) {
	if r == nil {
		return formats[0].written, formats[0].bodies.For(refusal)
	}
	if m != nil && m.body != nil {
		if mediaType, body := m.ownBody(r, problemOf(refusal)); mediaType != "" {
			return mediaType, body
		}
	}
	chosen := &formats[preferred(r.Header["Accept"])]
	return chosen.written, chosen.bodies.For(refusal)
}

// ownBody returns the body that the user's code makes, none if it panics.
func (m *Middleware) ownBody(r *http.Request, p Problem) (mediaType string, body []byte) {
	defer func() {
		if value := recover(); value != nil {
			mediaType, body = "", nil
			m.panics.log(r, value)
		}
	}()
	mediaType, body = m.body(r, p)
	if _, _, err := mime.ParseMediaType(mediaType); err != nil {
		return "", nil
	}
	return mediaType, body
}

// reports logs the panics of a user's code that nobody is told of otherwise:
// one a second at most, as every refused request may meet the same bug.
type reports struct{ last atomic.Int64 } // nanoseconds of the Unix time

func (p *reports) log(r *http.Request, value any) {
	now, last := time.Now().UnixNano(), p.last.Load()
	if now-last < int64(time.Second) && now >= last || !p.last.CompareAndSwap(last, now) {
		return
	}
	slog.ErrorContext(r.Context(), "httpmw: Config.Body panicked",
		"panic", fmt.Sprint(value), "stack", string(debug.Stack()))
}
