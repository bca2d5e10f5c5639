package connectmw

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// early is a decision that was made before the body of a request was read. It
// is that of one call.
type early struct {
	by        *Interceptor
	procedure string
	taken     atomic.Bool

	mu      sync.Mutex               // guards control, and is held while that is used
	control *http.ResponseController // nil once the handler has returned
}

type earlyKey struct{}

// earlyIn returns the decision about a call that was made by an Interceptor, if
// it was.
func earlyIn(ctx context.Context, by *Interceptor, procedure string) *early {
	e, _ := ctx.Value(earlyKey{}).(*early)
	if e == nil || e.by != by || e.procedure != procedure || !e.taken.CompareAndSwap(false, true) {
		return nil
	}
	return e
}

// Wrap returns a handler that decides about a call before its body is read, as
// the package comment describes, and hands what may pass to next: a handler of
// connect that has this Interceptor, or a mux of such and nothing else, as a
// path that is no procedure of the policy is refused. It panics if next is nil,
// or the Interceptor was not made by [New].
func (i *Interceptor) Wrap(next http.Handler) http.Handler {
	if !i.isMade() {
		panic("connectmw: Wrap: the Interceptor was not made by New")
	}
	if f, isFunc := next.(http.HandlerFunc); next == nil || isFunc && f == nil {
		panic("connectmw: Wrap: the next handler is nil")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { i.before(w, r, next) })
}

func (i *Interceptor) before(w http.ResponseWriter, r *http.Request, next http.Handler) {
	procedure := procedureOf(r.URL.Path)
	needs, listed := i.policy[procedure]
	if listed && needs.IsPublic() {
		next.ServeHTTP(w, r)
		return
	}
	op := claims.Operation{Protocol: protocol, Name: procedure, Requirement: needs}
	if !listed {
		op.Name = unknownProcedure
		i.write(w, r, i.guard.Refuse(r.Context(), op, errUnlisted))
		return
	}
	credentials, err := httpauth.Parse(r.Header["Authorization"])
	if err != nil {
		i.write(w, r, i.guard.Refuse(r.Context(), op, err))
		return
	}
	credentials.Proof = &prover{r, w.Header()} // asked for bound tokens alone
	ctx, err := i.guard.AuthorizeStream(r.Context(), op, credentials)
	if err != nil {
		i.write(w, r, err)
		return
	}
	// The decision may be put off until the message is there, and no message
	// come, or nobody ask.
	defer func() {
		if i.guard.IsPending(ctx) {
			_ = i.guard.Ended(ctx, claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
				errors.New("connectmw: the call ended before its first message")))
		}
	}()
	decided := &early{by: i, procedure: procedure, control: http.NewResponseController(w)}
	defer decided.end()
	next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, earlyKey{}, decided)))
}

// sendTimeout is how long a message to a client that does not read may be on
// its way once the token has ended.
const sendTimeout = 5 * time.Second

// interrupt breaks off what waits for the client. It reports nothing: a server
// that cannot be interrupted has timeouts of its own.
func (e *early) interrupt() {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.control == nil {
		return
	}
	now := time.Now()
	_ = e.control.SetReadDeadline(now)
	_ = e.control.SetWriteDeadline(now.Add(sendTimeout))
}

// end says that the handler has returned: net/http panics for who uses what was
// its then.
func (e *early) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.control = nil
}

// prover is a request as far as it can prove that its sender holds a key.
type prover struct {
	*http.Request
	response http.Header
}

// Prove returns what a bound token is proven with. The URL has the scheme, the
// host and the path by which the request reached this server.
func (p *prover) Prove(context.Context) claims.Proof {
	r := p.Request
	path, _, _ := strings.Cut(r.RequestURI, "?") // as the client sent it
	if !strings.HasPrefix(path, "/") {
		path = r.URL.EscapedPath()
	}
	proof := claims.Proof{
		Method: r.Method, URL: "http://" + r.Host + path, DPoP: r.Header["Dpop"],
		Respond: func(name, value string) {
			p.response.Set(name, value)
			// It is for this client, and for now (RFC 9449 section 8.2).
			p.response.Set("Cache-Control", "no-store")
		},
	}
	if from, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		proof.Peer = from.Addr().Unmap().WithZone("")
	}
	if r.TLS != nil {
		proof.URL = "https://" + r.Host + path
		if len(r.TLS.PeerCertificates) > 0 {
			proof.Certificate = r.TLS.PeerCertificates[0]
		}
	}
	return proof
}
