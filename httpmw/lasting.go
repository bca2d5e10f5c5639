package httpmw

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// farewell is how long what has ended may take to say so: the last chunk of a
// response, the close frame of a WebSocket.
const farewell = time.Second

// ends reports whether something ends the answer to a request that was let
// through.
func ends(needs claims.Requirement) bool { return needs.EndsWithToken() || needs.MayOutlive() }

// serveLasting serves a request whose answer ends with the caller's token, or
// by news of that alone.
func (m *Middleware) serveLasting(w http.ResponseWriter, r *http.Request, next http.Handler) {
	l := &lasting{
		ResponseWriter: w, guard: m.guard, admitted: r.Context(),
		body: r.Body != nil && r.Body != http.NoBody,
	}
	l.ctx, l.cancel = context.WithCancelCause(l.admitted)
	inside := r.WithContext(l.ctx)
	defer handBack(inside, r)
	l.hold = m.guard.Hold(l.admitted, func(why *claims.Error) { l.finish(why) })
	defer l.close()
	next.ServeHTTP(l, inside)
	if over := l.hold.Err(); over != nil && !l.written.Load() && !l.isHijacked() {
		m.Refuse(w, r, l.finish(over)) // the handler said nothing in time
	}
}

// endingWithToken returns r with a context that is done when the caller's token
// ends, for a handler that writes by itself.
func (m *Middleware) endingWithToken(r *http.Request) *http.Request {
	ctx, cancel := context.WithCancelCause(r.Context())
	hold := m.guard.Hold(r.Context(), func(why *claims.Error) {
		cancel(m.guard.Ended(ctx, why))
	})
	context.AfterFunc(ctx, hold.Release)
	return r.WithContext(ctx)
}

// lasting is the response to a request that ends with its token: nothing is
// written any more then. While it is written, it is asked whether it still may
// be.
type lasting struct {
	http.ResponseWriter
	guard    *claims.Guard
	admitted context.Context // of the Guard
	ctx      context.Context // of the handler
	cancel   context.CancelCauseFunc
	hold     *claims.Hold
	body     bool        // the request has one
	written  atomic.Bool // the status has gone

	ended sync.Once
	why   atomic.Pointer[claims.Error]
	mu    sync.Mutex // guards conn, and is held while that is taken over
	conn  *heldConn  // nil unless it was taken over
}

// finish ends the response. It returns why it has ended.
func (l *lasting) finish(why *claims.Error) *claims.Error {
	l.ended.Do(func() {
		why = claims.AsError(l.guard.Ended(l.admitted, why))
		l.why.Store(why)
		l.cancel(why)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.conn != nil {
			l.conn.endSoon()
			return
		}
		// What the handler is blocked in comes back. Where that cannot be, as
		// in a test, it ends by the context alone.
		rc := http.NewResponseController(l.ResponseWriter)
		_ = rc.SetWriteDeadline(time.Now().Add(farewell))
		if l.body {
			_ = rc.SetReadDeadline(time.Now())
		}
	})
	if first := l.why.Load(); first != nil {
		return first
	}
	return why
}

// close lets go of the response, unless its connection lasts longer.
func (l *lasting) close() {
	if !l.isHijacked() {
		l.hold.Release()
		l.cancel(nil)
	}
}

func (l *lasting) isHijacked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.conn != nil
}

// mayWrite returns why nothing is written any more, if so.
func (l *lasting) mayWrite() error {
	if why := l.why.Load(); why != nil {
		return why
	}
	if over := l.hold.Pass(l.ctx); over != nil {
		return l.finish(over)
	}
	return nil
}

// Unwrap is for [http.ResponseController].
func (l *lasting) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *lasting) WriteHeader(status int) {
	if l.mayWrite() != nil {
		return
	}
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		l.written.Store(true)
	}
	l.ResponseWriter.WriteHeader(status)
}

func (l *lasting) Write(p []byte) (int, error) {
	if err := l.mayWrite(); err != nil {
		return 0, err
	}
	l.written.Store(true)
	return l.ResponseWriter.Write(p)
}

// Flush is FlushError for who asks for an [http.Flusher].
func (l *lasting) Flush() { _ = l.FlushError() }

func (l *lasting) FlushError() error {
	if err := l.mayWrite(); err != nil {
		return err
	}
	l.written.Store(true)
	return http.NewResponseController(l.ResponseWriter).Flush()
}

// Hijack lets the caller take over the connection, which is closed a moment
// after the token has ended.
func (l *lasting) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := l.mayWrite(); err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	conn, buffered, err := http.NewResponseController(l.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	l.conn = &heldConn{Conn: conn, lasting: l}
	if l.why.Load() != nil { // meanwhile
		l.conn.endSoon()
	}
	return l.conn, buffered, nil
}

// heldConn is a connection that was taken over.
type heldConn struct {
	net.Conn
	lasting *lasting
	closed  sync.Once
}

// endSoon closes the connection unless its owner does in time.
func (c *heldConn) endSoon() {
	time.AfterFunc(farewell, func() {
		_ = c.SetDeadline(time.Now()) // as to close may wait for a client that does not read
		_ = c.Close()
	})
}

// Close closes the connection and lets go of it.
func (c *heldConn) Close() error {
	err := c.Conn.Close()
	c.closed.Do(func() {
		c.lasting.hold.Release()
		c.lasting.cancel(nil)
	})
	return err
}
