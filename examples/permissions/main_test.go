package main_test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	main "github.com/sallyport-go/sallyport/examples/permissions"
	"github.com/sallyport-go/sallyport/examples/permissions/permissionspb"
)

func TestMain(m *testing.M) { demotest.Main(m, main.Main) }

func TestRun_refusesBadFlags(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"unknown flag": {
			[]string{"-nope"}, "flag provided but not defined: -nope (permissions -h lists the flags)",
		},
		"positional argument": {
			[]string{"serve"}, `unexpected argument "serve" (permissions -h lists the flags)`,
		},
		"all unusable values at once": {
			[]string{"-grant-ttl", "0s", "-admin", "root", "-dev-issuer", "0.0.0.0:8082"},
			`-grant-ttl 0s: must be more than 0 and at most 1h; -admin needs an -issuer; ` +
				`-dev-issuer "0.0.0.0:8082": must be a loopback address: its secrets are public`,
		},
		"bad issuer": {
			[]string{"-issuer", "http://a.example", "-admin", "a\nb"},
			`-admin "a\nb": a name must be of 1 to 200 bytes, without control characters; ` +
				`-issuer or -audience: claims: …"http://a.example"…`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			assert.Equal(t, 2, main.Run(t.Context(), test.args, &stdout, &stderr))
			assert.Empty(t, stdout.String())
			demotest.AssertOutput(t, "permissions: "+test.want+"\n", stderr.String())
		})
	}
}

func TestRun_showsNoPassword(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		database string
		code     int
	}{
		{"postgres://user:hunter2@127.0.0.1:x/orders", 2},
		{"postgres://user:hunter2@127.0.0.1:1/orders", 1}, // where nobody listens
	} {
		var stdout, stderr bytes.Buffer
		args := append(demotest.FreePorts(), "-database", test.database)
		assert.Equal(t, test.code, main.Run(t.Context(), args, &stdout, &stderr))
		assert.Contains(t, stderr.String(), "permissions: -database: ")
		assert.NotContains(t, stderr.String(), "hunter2")
		assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	}
}

func TestRun_addressInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	taken := listener.Addr().String()
	var stdout, stderr bytes.Buffer
	code := main.Run(t.Context(),
		[]string{"-http", taken, "-grpc", taken, "-dev-issuer", "127.0.0.1:0"}, &stdout, &stderr)
	assert.Equal(t, 1, code)
	assert.Regexp(t, `\Apermissions: -http "`+taken+`": .+; -grpc "`+taken+`": .+\n\z`, stderr.String())
}

func TestRun_help(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	assert.Zero(t, main.Run(t.Context(), []string{"-h"}, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	assert.Equal(t, 8, strings.Count(stdout.String(), "\n  -"))
}

func TestService_drains(t *testing.T) {
	t.Parallel()
	s := start(t)
	shop := s.caller(t, "berlin-shop")
	watch, err := shop.grpc.WatchOrders(demotest.Bounded(t),
		&permissionspb.WatchOrdersRequest{Workspace: "berlin"})
	require.NoError(t, err)
	_, err = watch.Recv()
	require.NoError(t, err)

	s.Stop() // asserts exit code 0
	for err == nil {
		_, err = watch.Recv()
	}
	assert.Equal(t, codes.Unavailable, status.Code(err))
	assert.Equal(t, "the service is stopping", status.Convert(err).Message())
	_, err = http.Get(s.URL + "/healthz")
	assert.Error(t, err)
}

func TestMain_endsOnSignal(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			temp := t.TempDir()
			demotest.EndsOn(t, signal, []string{"TMPDIR=" + temp}, func() {
				found, err := filepath.Glob(filepath.Join(temp, "*", "permissions.db"))
				require.NoError(t, err)
				assert.Len(t, found, 1)
			})
			left, err := os.ReadDir(temp)
			require.NoError(t, err)
			assert.Empty(t, left, "the temporary database")
		})
	}
}

// What the greeting promises is what the commands in it do, pasted in order.
func TestGreeting_commandsWork(t *testing.T) {
	t.Parallel()
	promises, outputs := demotest.Paste(t, start(t).Greeting)
	require.Len(t, promises, 9)
	assert.Empty(t, outputs[0], "the tokens")
	promised := regexp.MustCompile(`: (\d+)$`)
	for i, promise := range promises[1:] {
		code := promised.FindStringSubmatch(promise)
		require.NotNil(t, code, promise)
		assert.Regexp(t, `\AHTTP/1\.1 `+code[1]+` `, outputs[i+1], promise)
	}
	assert.Contains(t, outputs[2], `"margin_cents":120`)
	assert.Contains(t, outputs[8], `"FORBIDDEN"`)
}
