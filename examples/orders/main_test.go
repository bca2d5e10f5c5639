package main_test

import (
	"bytes"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	main "github.com/sallyport-go/sallyport/examples/orders"
)

func TestMain(m *testing.M) { demotest.Main(m, main.Main) }

func TestRun_refusesBadFlags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		args []string
		want string
	}{
		{
			name: "unknown flag",
			args: []string{"-nope"},
			want: "flag provided but not defined: -nope (orders -h lists the flags)",
		},
		{
			name: "flag without value",
			args: []string{"-http"},
			want: "flag needs an argument: -http (orders -h lists the flags)",
		},
		{
			name: "unknown format of the access table",
			args: []string{"-access-table=yaml"},
			want: `-access-table "yaml": must be json, or have no value`,
		},
		{
			name: "empty format of the access table",
			args: []string{"-access-table="},
			want: `-access-table "": must be json, or have no value`,
		},
		{
			name: "no access table",
			args: []string{"-access-table=false"},
			want: `-access-table "false": must be json, or have no value`,
		},
		{
			name: "format of the access table apart",
			args: []string{"-access-table", "json"},
			want: `unexpected argument "json" (orders -h lists the flags)`,
		},
		{
			name: "positional argument",
			args: []string{"-http", "127.0.0.1:0", "serve"},
			want: `unexpected argument "serve" (orders -h lists the flags)`,
		},
		{
			name: "all unusable values at once",
			args: []string{
				"-http", "nonsense", "-grpc", "127.0.0.1:65536", "-issuer", "ftp://a.example",
				"-issuer", "https://u:secret@b.example", "-audience", "",
			},
			want: `-http "nonsense": must be HOST:PORT with a port from 0 to 65535; ` +
				`-grpc "127.0.0.1:65536": must be HOST:PORT with a port from 0 to 65535; ` +
				`-audience must not be empty; ` +
				`-issuer "ftp://a.example": jwks: Config.Issuer… must be an https URL; ` +
				`-issuer "https://u:xxxxx@b.example": ` +
				`jwks: Config.Issuer… must not have user information`,
		},
		{
			name: "empty issuer",
			args: []string{"-issuer", ""},
			want: "-issuer must not be empty",
		},
		{
			name: "plain http issuer",
			args: []string{"-issuer", "http://a.example"},
			want: `-issuer "http://a.example": ` +
				`jwks: Config.Issuer… must be https (http is for loopback addresses …`,
		},
		{
			name: "issuer twice",
			args: []string{"-issuer", "https://a.example", "-issuer", "https://a.example"},
			want: `claims: NewIssuers: Config 1 (issuer "https://a.example"): the issuer is there twice`,
		},
		{
			name: "certificates without TLS",
			args: []string{"-mtls"},
			want: `-mtls needs -tls-cert and -tls-key`,
		},
		{
			name: "a key without its certificate",
			args: []string{"-tls-key", "k"},
			want: `-tls-cert and -tls-key need each other`,
		},
		{
			name: "a base that is no URL",
			args: []string{"-base-url", "orders.example"},
			want: `-base-url "orders.example" …`,
		},
		{
			name: "key set URL without issuer",
			args: []string{"-jwks-url", "https://a.example/jwks"},
			want: "-jwks-url needs exactly one -issuer, not 0",
		},
		{
			name: "key set URL with two issuers",
			args: []string{
				"-issuer", "https://a.example", "-issuer", "https://b.example",
				"-jwks-url", "https://a.example/jwks",
			},
			want: "-jwks-url needs exactly one -issuer, not 2",
		},
		{
			name: "key set URL over plain http",
			args: []string{"-issuer", "https://a.example", "-jwks-url", "http://a.example/jwks"},
			want: `-jwks-url "http://a.example/jwks": ` +
				`jwks: Config.URL… must be https (http is for loopback addresses …`,
		},
		{
			name: "development issuer for everybody",
			args: []string{"-dev-issuer", "0.0.0.0:8082"},
			want: `-dev-issuer "0.0.0.0:8082": must be a loopback address: its secrets are public`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			assert.Equal(t, 2, main.Run(t.Context(), test.args, &stdout, &stderr))
			demotest.AssertOutput(t, "orders: "+test.want+"\n", stderr.String())
			assert.Empty(t, stdout.String())
		})
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
	assert.Regexp(t, `\Aorders: -http "`+taken+`": .+; -grpc "`+taken+`": .+\n\z`, stderr.String())
	assert.Equal(t, 1, strings.Count(stderr.String(), "\n"))
	assert.Empty(t, stdout.String())
}

func TestRun_help(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	assert.Zero(t, main.Run(t.Context(), []string{"-h"}, &stdout, &stderr))
	assert.Empty(t, stderr.String())
	for _, flag := range []string{
		"-http ", "-grpc ", "-issuer ", "-dev-issuer ", "-jwks-url ", "-audience ",
		"-access-table ",
	} {
		assert.Contains(t, stdout.String(), "\n  "+flag)
	}
}

func TestMain_endsOnSignal(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			demotest.EndsOn(t, signal, nil, func() {})
		})
	}
}
