package main_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	main "github.com/sallyport-go/sallyport/examples/permissions"
)

// postgresURL names the environment variable with the URL of a PostgreSQL
// server on which the tests may make databases.
const postgresURL = "SALLYPORT_POSTGRES"

// database is an empty database of one test.
type database struct {
	name string // for -database

	// cut makes it unreachable or unusable, until mend.
	cut, mend func()
}

// onEachDatabase runs the test on SQLite, and on PostgreSQL where there is one.
func onEachDatabase(t *testing.T, test func(t *testing.T, db database)) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, sqliteDatabase(t))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		server := os.Getenv(postgresURL)
		if server == "" {
			t.Skip(postgresURL + " is not set: make test-postgres sets it")
		}
		t.Parallel()
		test(t, postgresDatabase(t, server))
	})
}

func sqliteDatabase(t *testing.T) database {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a #1%20.db")
	rename := func(from, to string) {
		db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: name}).EscapedPath()+
			"?_pragma=busy_timeout(5000)")
		require.NoError(t, err)
		defer db.Close()
		for _, table := range []string{"grants", "orders", "workspaces"} {
			_, err := db.Exec("ALTER TABLE " + table + from + " RENAME TO " + table + to)
			require.NoError(t, err)
		}
	}
	return database{
		name: name,
		cut:  func() { rename("", "_away") },
		mend: func() { rename("_away", "") },
	}
}

// postgresDatabase makes a database, which is reached by a proxy that can be
// cut.
func postgresDatabase(t *testing.T, server string) database {
	t.Helper()
	admin, err := sql.Open("pgx", server)
	require.NoError(t, err)
	name := "test_" + strings.ToLower(rand.Text())
	_, err = admin.Exec("CREATE DATABASE " + name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := admin.Exec("DROP DATABASE " + name + " WITH (FORCE)")
		assert.NoError(t, err)
		assert.NoError(t, admin.Close())
	})
	u, err := url.Parse(server)
	require.NoError(t, err)
	p := startProxy(t, u.Host)
	u.Host, u.Path = p.listener.Addr().String(), "/"+name
	return database{name: u.String(), cut: p.cut, mend: p.mend}
}

// proxy passes connections on, unless it is cut.
type proxy struct {
	listener net.Listener
	target   string

	mu   sync.Mutex // guards the fields below
	down bool
	open []net.Conn
}

func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: listener, target: target}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
		serving.Wait()
	})
	return p
}

func (p *proxy) serve(conn net.Conn) {
	defer conn.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer server.Close()
	p.mu.Lock()
	p.open = append(p.open, conn, server)
	down := p.down
	p.mu.Unlock()
	if down {
		return
	}
	var copying sync.WaitGroup
	for from, to := range map[net.Conn]net.Conn{conn: server, server: conn} {
		copying.Go(func() {
			_, _ = io.Copy(to, from)
			_ = to.Close()
		})
	}
	copying.Wait()
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for _, conn := range p.open {
		_ = conn.Close()
	}
	p.open = nil
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// openStore opens the database without a service.
func openStore(t *testing.T, db database) *main.Store {
	t.Helper()
	opened, err := main.OpenDatabase(context.Background(), db.name)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, opened.Close()) })
	return main.NewStore(opened)
}
