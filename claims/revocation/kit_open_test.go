package revocation_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

const (
	// patience is how long something that must happen may take on a busy
	// machine.
	patience = 30 * time.Second

	revokedText = "The access token has been revoked."
	authority   = "api.example"
	service     = "/kinds.Service/"
)

// api is a service by HTTP and gRPC, whose answers last.
type api struct {
	http  *httptest.Server
	grpc  *grpc.ClientConn
	pulse chan struct{} // closed to have what is open say something

	mu      sync.Mutex
	refused map[string]map[claims.Reason]int // by operation
}

func (a *api) observe(_ context.Context, d claims.Decision) {
	if d.Err == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refused[d.Operation] == nil {
		a.refused[d.Operation] = map[claims.Reason]int{}
	}
	a.refused[d.Operation][d.Err.Reason()]++
}

func newAPI(t testing.TB, auth claims.Authenticator, ended claims.Revocations) *api {
	t.Helper()
	a := &api{pulse: make(chan struct{}), refused: map[string]map[claims.Reason]int{}}
	mux := httpmw.NewServeMux(httpmw.New(auth, httpmw.Config{Revocations: ended, Observer: a.observe}))
	mux.HandleFunc("GET /", claims.Authenticated(), func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /events", claims.EndsWithToken(claims.Authenticated()), a.events)
	mux.HandleFunc("GET /socket", claims.EndsWithToken(claims.Authenticated()), socket)
	a.http = httptest.NewServer(mux)
	t.Cleanup(a.http.Close)

	guard, err := grpcmw.New(auth, grpcmw.Config{Revocations: ended, Observer: a.observe, Policy: grpcmw.Policy{
		service + "Unary": claims.Authenticated(), service + "Watch": claims.Authenticated(),
		service + "Talk": claims.Authenticated(),
	}})
	require.NoError(t, err)
	server := grpc.NewServer(guard.ServerOptions()...)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "kinds.Service", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
		Streams: []grpc.StreamDesc{
			{StreamName: "Watch", ServerStreams: true, Handler: a.watch},
			{StreamName: "Talk", ServerStreams: true, ClientStreams: true, Handler: talk},
		},
	}, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	a.grpc, err = grpc.NewClient(listener.Addr().String(), grpc.WithAuthority(authority),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, a.grpc.Close())
		server.Stop()
		assert.NoError(t, <-done)
	})
	return a
}

// events says hello, and one thing more.
func (a *api) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	say := func(what string) {
		_, _ = fmt.Fprintf(w, "data: %s\n\n", what)
		_ = http.NewResponseController(w).Flush()
	}
	say("hello")
	select {
	case <-a.pulse:
		say("news")
	case <-r.Context().Done():
	}
}

// socket echoes lines, as a WebSocket does messages, and says why it ends. A
// handler that does not look is httpmw's to test, as it takes a second.
func socket(w http.ResponseWriter, r *http.Request) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\n")
	defer context.AfterFunc(r.Context(), func() {
		_, _ = fmt.Fprintln(conn, claims.AsError(context.Cause(r.Context())).Reason())
		_ = conn.Close()
	})()
	for {
		line, err := buffered.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, line)
	}
}

func unary(_ any, ctx context.Context, dec func(any) error, by grpc.UnaryServerInterceptor) (any, error) {
	in := &wrapperspb.StringValue{}
	if err := dec(in); err != nil {
		return nil, err
	}
	return by(ctx, in, &grpc.UnaryServerInfo{FullMethod: service + "Unary"},
		func(context.Context, any) (any, error) { return in, nil })
}

// watch says one thing.
func (a *api) watch(_ any, stream grpc.ServerStream) error {
	if err := stream.RecvMsg(&wrapperspb.StringValue{}); err != nil {
		return err
	}
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	select {
	case <-a.pulse:
		return stream.SendMsg(wrapperspb.String("news"))
	case <-stream.Context().Done():
		return stream.Context().Err()
	}
}

// talk echoes, and is blocked while nobody says anything.
func talk(_ any, stream grpc.ServerStream) error {
	if err := stream.SendHeader(metadata.MD{}); err != nil {
		return err
	}
	for in := (&wrapperspb.StringValue{}); ; {
		if err := stream.RecvMsg(in); err != nil {
			return err
		}
		if err := stream.SendMsg(in); err != nil {
			return err
		}
	}
}

// get sends a request, whose answer it returns once its header is here.
func (a *api) get(t testing.TB, ctx context.Context, path string, c credential, fields ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, a.http.URL+path, nil)
	require.NoError(t, err)
	authorization, proof := c.show("GET", a.http.URL+path)
	r.Header.Set("Authorization", authorization)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	response, err := a.http.Client().Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func outgoing(ctx context.Context, method string, c credential) context.Context {
	authorization, proof := c.show("POST", "http://"+authority+service+method)
	if proof != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "dpop", proof)
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", authorization)
}

func (a *api) call(ctx context.Context, c credential) error {
	return a.grpc.Invoke(outgoing(ctx, "Unary", c), service+"Unary", &wrapperspb.StringValue{}, &wrapperspb.StringValue{})
}

// open is what a credential has opened.
type open struct {
	events      *bufio.Reader
	socket      io.ReadWriter
	watch, talk grpc.ClientStream
}

func (a *api) open(t testing.TB, ctx context.Context, c credential) (o open) {
	t.Helper()
	response := a.get(t, ctx, "/events", c)
	require.Equal(t, http.StatusOK, response.StatusCode)
	o.events = bufio.NewReader(response.Body)
	hello, err := o.events.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "data: hello\n", hello)
	_, err = o.events.ReadString('\n')
	require.NoError(t, err)

	response = a.get(t, ctx, "/socket", c, "Connection", "Upgrade", "Upgrade", "lines")
	require.Equal(t, http.StatusSwitchingProtocols, response.StatusCode)
	o.socket = response.Body.(io.ReadWriter)
	context.AfterFunc(ctx, func() { _ = response.Body.Close() }) // as nobody else does any more

	o.watch, err = a.grpc.NewStream(outgoing(ctx, "Watch", c), &grpc.StreamDesc{ServerStreams: true}, service+"Watch")
	require.NoError(t, err)
	require.NoError(t, o.watch.SendMsg(&wrapperspb.StringValue{}))
	require.NoError(t, o.watch.CloseSend())
	o.talk, err = a.grpc.NewStream(outgoing(ctx, "Talk", c),
		&grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, service+"Talk")
	require.NoError(t, err)
	for _, stream := range []grpc.ClientStream{o.watch, o.talk} {
		_, err = stream.Header() // the handler is there
		require.NoError(t, err)
	}
	return o
}

// assertEnds waits for the end of all that is open.
func (o open) assertEnds(t testing.TB) {
	t.Helper()
	rest, err := io.ReadAll(o.events)
	assert.NoError(t, err, "a clean end")
	assert.Empty(t, string(rest))
	rest, err = io.ReadAll(o.socket)
	assert.NoError(t, err)
	assert.Equal(t, "revoked\n", string(rest))
	assertRevoked(t, o.watch.RecvMsg(&wrapperspb.StringValue{}))
	assertRevoked(t, o.talk.RecvMsg(&wrapperspb.StringValue{}))
}

// assertGoesOn has all that is open say something, after the pulse.
func (o open) assertGoesOn(t testing.TB) {
	t.Helper()
	line, err := o.events.ReadString('\n')
	assert.NoError(t, err)
	assert.Equal(t, "data: news\n", line)
	_, err = io.WriteString(o.socket, "news\n")
	assert.NoError(t, err)
	line, err = bufio.NewReader(o.socket).ReadString('\n')
	assert.NoError(t, err)
	assert.Equal(t, "news\n", line)
	said := &wrapperspb.StringValue{}
	assert.NoError(t, o.watch.RecvMsg(said))
	assert.Equal(t, "news", said.GetValue())
	assert.NoError(t, o.talk.SendMsg(wrapperspb.String("more")))
	assert.NoError(t, o.talk.RecvMsg(said))
	assert.Equal(t, "more", said.GetValue())
}

func assertRevoked(t testing.TB, err error) {
	t.Helper()
	assert.Equal(t, codes.Unauthenticated, status.Code(err), "%v", err)
	assert.Equal(t, revokedText, status.Convert(err).Message())
}
