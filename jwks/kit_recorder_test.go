package jwks_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

// recorder is an [http.RoundTripper] that remembers the requests, and how many
// bodies of answers are not closed.
type recorder struct {
	next  http.RoundTripper
	open  atomic.Int32
	mu    sync.Mutex
	urls  []string
	times []time.Time
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.urls = append(r.urls, req.URL.String())
	r.times = append(r.times, time.Now())
	r.mu.Unlock()
	if isMetadata(req.URL.Path) {
		time.Sleep(time.Millisecond) // until those of all places are made
	}
	resp, err := r.next.RoundTrip(req)
	if err == nil {
		r.open.Add(1)
		closed := sync.OnceFunc(func() { r.open.Add(-1) })
		resp.Body = recordedBody{resp.Body, closed}
	}
	return resp, err
}

// when returns the times of the requests.
func (r *recorder) when() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.times)
}

// asked returns the URLs in the order of the requests. Of those for metadata,
// which are made at once, it is that of the alphabet.
func (r *recorder) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	urls := slices.Clone(r.urls)
	for from := 0; from < len(urls); from++ {
		to := from
		for to < len(urls) && isMetadata(urls[to]) {
			to++
		}
		slices.Sort(urls[from:to])
		from = to
	}
	return urls
}

func isMetadata(url string) bool { return strings.Contains(url, "/.well-known/") }

type recordedBody struct {
	io.ReadCloser
	closed func()
}

func (b recordedBody) Close() error {
	b.closed()
	return b.ReadCloser.Close()
}

// witness keeps what an observer and a logger are told.
type witness struct {
	mu     sync.Mutex
	events []jwks.Event
	log    bytes.Buffer
}

func (r *witness) observe(_ context.Context, e jwks.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func (r *witness) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(p)
}

func (r *witness) take() (kinds []string, log string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		kinds = append(kinds, fmt.Sprint(e.Kind, " ", e.Cause, e.Refusal, e.SkipReason, " ", e.Fault))
	}
	log = r.log.String()
	r.events = nil
	r.log.Reset()
	return kinds, log
}
