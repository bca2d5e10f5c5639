package main

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	migrateTimeout = time.Minute
	maxConnections = 10
)

//go:embed migrations/*.sql
var migrations embed.FS

// openDatabase opens the database, an SQLite file or a postgres:// URL, and
// brings its tables up to date.
func openDatabase(ctx context.Context, name string) (*sql.DB, error) {
	db, dialect, err := connect(name)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxIdleTime(time.Minute)
	if err := migrate(ctx, db, dialect); err != nil {
		return nil, errors.Join(fmt.Errorf("-database: %w", err), db.Close())
	}
	return db, nil
}

func connect(name string) (*sql.DB, goose.Dialect, error) {
	if isPostgres(name) {
		config, err := pgx.ParseConfig(name)
		if err != nil {
			return nil, "", err
		}
		return stdlib.OpenDB(*config), goose.DialectPostgres, nil
	}
	// Writers wait for one another, and readers do not wait for them.
	settings := url.Values{
		"_pragma": {"busy_timeout(2000)", "journal_mode(WAL)", "foreign_keys(1)"},
		"_txlock": {"immediate"},
	}
	path := (&url.URL{Path: name}).EscapedPath()
	db, err := sql.Open("sqlite", "file:"+path+"?"+settings.Encode())
	return db, goose.DialectSQLite3, err
}

func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	ctx, cancel := context.WithTimeout(ctx, migrateTimeout)
	defer cancel()
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	opts := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if dialect == goose.DialectPostgres {
		// Processes that start at the same time take turns.
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, db, files, opts...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
