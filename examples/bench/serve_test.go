package bench

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// issuerVariable is set in a server process: whose tokens it is to accept.
const issuerVariable = "SALLYPORT_BENCH_ISSUER"

// TestServe is the server process of BenchmarkEndToEnd, which starts the test
// binary again: what the clients use of the processors is then not in the bill.
// Its first line says where the servers listen; each line that it is sent is
// answered by the processor time so far.
func TestServe(t *testing.T) {
	url := os.Getenv(issuerVariable)
	if url == "" {
		t.Skip("this is no server process")
	}
	issuer, err := claimstest.New(claimstest.Config{URL: url})
	require.NoError(t, err)
	answers := json.NewEncoder(os.Stdout)
	require.NoError(t, answers.Encode(serveAll(t, &world{issuer: issuer})))
	questions := bufio.NewScanner(os.Stdin)
	for questions.Scan() {
		require.NoError(t, answers.Encode(cpuTime()))
	}
}

// served is a contestant that listens.
type served struct{ Name, Impl, Address string }

// serveAll has every contestant listen on an address of its own until the test
// ends.
func serveAll(t *testing.T, w *world) []served {
	t.Helper()
	var all []served
	for _, alg := range endToEndAlgorithms {
		for _, c := range httpContestants(t, w, alg) {
			server := &http.Server{Handler: c.handler, ReadHeaderTimeout: time.Minute}
			t.Cleanup(func() { _ = server.Close() })
			all = append(all, served{httpName(alg), c.impl, listen(t, server)})
		}
	}
	for _, c := range grpcContestants(t, w) {
		server := grpc.NewServer(c.options...)
		server.RegisterService(&echoService, &echo{c.subjectOf})
		t.Cleanup(server.Stop)
		all = append(all, served{grpcName, c.impl, listen(t, server)})
	}
	return all
}

func listen(t *testing.T, server interface{ Serve(net.Listener) error }) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }() // until the test closes it
	return listener.Addr().String()
}

// serverProcess is a process that runs TestServe.
type serverProcess struct {
	contestants []served
	questions   *json.Encoder
	answers     *json.Decoder
}

// startServerProcess starts one for tokens of w. It ends with the test, or with
// this process.
func startServerProcess(tb testing.TB, w *world) *serverProcess {
	tb.Helper()
	program, err := os.Executable()
	require.NoError(tb, err)
	command := exec.Command(program, "-test.run=^TestServe$", "-test.timeout=0")
	command.Env = append(os.Environ(), issuerVariable+"="+w.issuer.URL())
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	require.NoError(tb, err)
	stdout, err := command.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, command.Start())
	tb.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	s := &serverProcess{questions: json.NewEncoder(stdin), answers: json.NewDecoder(stdout)}
	if err := s.answers.Decode(&s.contestants); err != nil {
		_ = stdin.Close()
		said, _ := io.ReadAll(io.MultiReader(s.answers.Buffered(), stdout))
		tb.Fatalf("the server process did not start: %v\n%s", err, said)
	}
	return s
}

// cpuTime is the processor time that the server process has used.
func (s *serverProcess) cpuTime(tb testing.TB) (used time.Duration) {
	tb.Helper()
	require.NoError(tb, s.questions.Encode("processor time"))
	require.NoError(tb, s.answers.Decode(&used))
	return used
}
