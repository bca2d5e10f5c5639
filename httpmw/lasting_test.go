package httpmw_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// endings are why what lasts ends. Each brings it about and says which reason
// that is.
var endings = map[string]struct {
	lifetime time.Duration
	reason   claims.Reason
	end      func(t *testing.T, l *lives)
}{
	"expiry": {3 * time.Second, claims.ReasonExpired, func(*testing.T, *lives) {}},
	"news":   {time.Hour, claims.ReasonRevoked, func(t *testing.T, l *lives) { l.revoke(t) }},
}

// beginsToAnswer sends the header of an answer that lasts.
func beginsToAnswer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(w, ": hello\n\n")
	w.(http.Flusher).Flush()
}

// An answer ends with its token, wherever its handler is, and cleanly where the
// handler comes back in time.
func TestServeMux_endsWithToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		handler http.HandlerFunc
		cut     bool // the client does not read, so that no end reaches it
	}{
		"it waits for its context": {handler: func(w http.ResponseWriter, r *http.Request) {
			beginsToAnswer(w)
			<-r.Context().Done()
		}},
		"it writes on": {handler: func(w http.ResponseWriter, _ *http.Request) {
			beginsToAnswer(w)
			for range time.Tick(time.Millisecond) {
				if _, err := fmt.Fprint(w, "data: x\n\n"); err != nil {
					break
				}
			}
		}},
		"it flushes on": {handler: func(w http.ResponseWriter, _ *http.Request) {
			beginsToAnswer(w)
			rc := http.NewResponseController(w)
			for rc.Flush() == nil {
				<-time.After(time.Millisecond)
			}
		}},
		"its write is blocked": {cut: true, handler: func(w http.ResponseWriter, _ *http.Request) {
			beginsToAnswer(w)
			chunk := make([]byte, 1<<20)
			for {
				if _, err := w.Write(chunk); err != nil {
					break
				}
			}
		}},
	} {
		for why, ending := range endings {
			for _, proto := range []int{1, 2} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, why, proto), func(t *testing.T) {
					t.Parallel()
					l := newLives(t, proto, claims.EndsWithToken(claims.Authenticated()), tt.handler)
					resp := l.ask(t, l.token(ending.lifetime), nil)
					assert.Equal(t, http.StatusOK, resp.StatusCode)
					assert.Equal(t, proto, resp.ProtoMajor)
					ending.end(t, l)
					if !tt.cut {
						body, err := io.ReadAll(resp.Body)
						assert.NoError(t, err, "a clean end")
						assert.True(t, strings.HasPrefix(string(body), ": hello\n\n"))
					}
					l.assertEnded(t, ending.reason)
				})
			}
		}
	}
}

// Who has said nothing when the token ends says nothing more: the client is
// refused.
func TestServeMux_endsBeforeItAnswers(t *testing.T) {
	t.Parallel()
	for why, ending := range endings {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			reached := make(chan struct{}, 1)
			l := newLives(t, 1, claims.EndsWithToken(claims.Authenticated()), func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Own", "1")
				w.Header().Set("Content-Length", "1000")
				reached <- struct{}{}
				<-r.Context().Done()
				w.WriteHeader(http.StatusTeapot)
			})
			token := l.token(ending.lifetime)
			go func() {
				<-reached
				ending.end(t, l)
			}()
			resp := l.ask(t, token, nil)
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
			assert.Contains(t, resp.Header.Get("Www-Authenticate"), `error="invalid_token"`)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Contains(t, string(body), string(ending.reason))
			l.assertEnded(t, ending.reason)
		})
	}
}

// A handler that waits for a body comes back.
func TestServeMux_endsWhileItReads(t *testing.T) {
	t.Parallel()
	for _, proto := range []int{1, 2} {
		t.Run(fmt.Sprint(proto), func(t *testing.T) {
			t.Parallel()
			l := newLives(t, proto, claims.EndsWithToken(claims.Authenticated()), func(w http.ResponseWriter, r *http.Request) {
				rc := http.NewResponseController(w)
				_ = rc.EnableFullDuplex()
				beginsToAnswer(w)
				_, _ = io.Copy(io.Discard, r.Body)
			})
			body, writer := io.Pipe()
			defer writer.Close()
			resp := l.ask(t, l.token(time.Hour), body)
			l.revoke(t)
			l.assertEnded(t, claims.ReasonRevoked)
			_, _ = io.Copy(io.Discard, resp.Body)
		})
	}
}

// A connection that was taken over is closed, whoever has it.
func TestServeMux_endsHijacked(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ goesOn bool }{
		"its handler waits": {}, "its handler has gone": {goesOn: true},
	} {
		for why, ending := range endings {
			t.Run(name+"/"+why, func(t *testing.T) {
				t.Parallel()
				came := make(chan error, 1)
				l := newLives(t, 1, claims.EndsWithToken(claims.Authenticated()), func(w http.ResponseWriter, r *http.Request) {
					conn, rw, err := http.NewResponseController(w).Hijack()
					if !assert.NoError(t, err) {
						return
					}
					_, _ = rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello\n")
					_ = rw.Flush()
					read := func() {
						_, err := conn.Read(make([]byte, 1))
						came <- err
						_ = conn.Close()
					}
					if tt.goesOn {
						go read()
						return
					}
					read()
				})
				conn, err := net.Dial("tcp", l.server.Listener.Addr().String())
				require.NoError(t, err)
				defer conn.Close()
				require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
				_, err = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
					"Connection: Upgrade\r\nUpgrade: x\r\n\r\n", l.token(ending.lifetime))
				require.NoError(t, err)
				reader := bufio.NewReader(conn)
				resp, err := http.ReadResponse(reader, nil)
				require.NoError(t, err)
				require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
				line, err := reader.ReadString('\n')
				require.NoError(t, err)
				assert.Equal(t, "hello\n", line)
				ending.end(t, l)
				_, err = reader.ReadByte()
				assert.ErrorIs(t, err, io.EOF)
				select {
				case err := <-came:
					assert.Error(t, err)
				case <-time.After(patience):
					require.Fail(t, "the owner did not come back")
				}
				d := <-l.recorded
				assert.Equal(t, ending.reason, d.Err.Reason())
			})
		}
	}
}

// What does not say that it ends goes on, and its writer is its own.
func TestServeMux_goesOn(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	l := newLives(t, 1, claims.Authenticated(), func(w http.ResponseWriter, r *http.Request) {
		beginsToAnswer(w)
		assert.NotContains(t, fmt.Sprintf("%T", w), "httpmw")
		<-over
		assert.NoError(t, r.Context().Err())
		_, _ = io.WriteString(w, "late")
	})
	resp := l.ask(t, l.token(time.Hour), nil)
	l.revoke(t)
	close(over)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), "late")
	assert.NoError(t, <-l.returned)
	again := l.ask(t, l.token(time.Hour), nil)
	assert.Equal(t, http.StatusUnauthorized, again.StatusCode, "but nobody begins")
}

// What MayOutlive lets through goes on when its token has expired, while it is
// written and asked again whether it may, and ends by news all the same.
func TestServeMux_outlivesItsToken(t *testing.T) {
	t.Parallel()
	for _, proto := range []int{1, 2} {
		t.Run(fmt.Sprint(proto), func(t *testing.T) {
			t.Parallel()
			l := newLives(t, proto, claims.MayOutlive(claims.Authenticated()), func(w http.ResponseWriter, r *http.Request) {
				beginsToAnswer(w)
				for r.Context().Err() == nil {
					_, _ = io.WriteString(w, "data: x\n\n")
					w.(http.Flusher).Flush()
					time.Sleep(100 * time.Millisecond)
				}
			})
			token := l.token(3 * time.Second)
			resp := l.ask(t, token, nil)
			require.Equal(t, http.StatusOK, resp.StatusCode)
			time.Sleep(6 * time.Second)
			assert.Equal(t, http.StatusUnauthorized, l.ask(t, token, nil).StatusCode, "nobody begins with it any more")
			assert.Empty(t, l.returned)
			assert.Empty(t, l.recorded)
			_, err := io.ReadFull(resp.Body, make([]byte, len(": hello\n\n")+30*len("data: x\n\n")))
			assert.NoError(t, err)

			l.revoke(t)
			_, err = io.ReadAll(resp.Body)
			assert.NoError(t, err, "a clean end")
			l.assertEnded(t, claims.ReasonRevoked)
		})
	}
}

// What Admit lets through has a context that ends, and nobody holds it when the
// request is over.
func TestMiddleware_Admit_endsWithToken(t *testing.T) {
	t.Parallel()
	for name, needs := range map[string]claims.Requirement{
		"EndsWithToken": claims.EndsWithToken(claims.Authenticated()),
		"MayOutlive":    claims.MayOutlive(claims.Authenticated()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLives(t, 1, claims.Public(), nil)
			r := admitted(t, l, needs)
			l.revoke(t)
			select {
			case <-r.Context().Done():
			case <-time.After(patience):
				require.Fail(t, "it goes on")
			}
		})
	}
}

func admitted(t *testing.T, l *lives, needs claims.Requirement) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+l.token(time.Hour))
	r, err = l.auth.Admit(r, needs)
	require.NoError(t, err)
	return r
}
