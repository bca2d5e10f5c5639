package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
)

const usage = `usage: permissions [flags]

  -http ADDR        REST and GraphQL APIs (127.0.0.1:8080)
  -grpc ADDR        gRPC API (127.0.0.1:8081)
  -database DB      file of an SQLite database, or postgres:// URL; without it, a
                    temporary SQLite database
  -grant-ttl TIME   after which a grant that another process changed counts here
                    at the latest (10s)
  -issuer URL       trusted issuer; without it, the embedded development issuer
  -dev-issuer ADDR  where the embedded issuer listens (127.0.0.1:8082)
  -audience AUD     accepted audience (https://orders.example)
  -admin SUBJECT    subject at the -issuer that may do everything, everywhere

ADDR is HOST:PORT; port 0 takes a free one. The password of a database is better
in the environment (PGPASSWORD) than in its URL.
`

// options is what the command line says.
type options struct {
	httpAddr, grpcAddr string
	database           string // empty for a temporary one
	grantTTL           time.Duration
	issuer             string // empty for the embedded one, at devAddr
	devAddr            string
	audience           string
	admin              string
}

// parseOptions reads the command line. The error is [flag.ErrHelp], or names
// every flag with a value that cannot be used.
func parseOptions(args []string) (*options, error) {
	var o options
	fs := flag.NewFlagSet("permissions", flag.ContinueOnError)
	fs.StringVar(&o.httpAddr, "http", "127.0.0.1:8080", "")
	fs.StringVar(&o.grpcAddr, "grpc", "127.0.0.1:8081", "")
	fs.StringVar(&o.database, "database", "", "")
	fs.DurationVar(&o.grantTTL, "grant-ttl", 10*time.Second, "")
	fs.StringVar(&o.issuer, "issuer", "", "")
	fs.StringVar(&o.devAddr, "dev-issuer", "127.0.0.1:8082", "")
	fs.StringVar(&o.audience, "audience", "https://orders.example", "")
	fs.StringVar(&o.admin, "admin", "", "")
	if err := demo.Parse(fs, args); err != nil {
		return nil, err
	}
	return &o, o.validate()
}

func (o *options) validate() error {
	var errs []error
	if isPostgres(o.database) {
		if _, err := pgx.ParseConfig(o.database); err != nil { // shows no password
			errs = append(errs, fmt.Errorf("-database: %w", err))
		}
	}
	if o.grantTTL <= 0 || o.grantTTL > time.Hour {
		errs = append(errs,
			fmt.Errorf("-grant-ttl %v: must be more than 0 and at most 1h", o.grantTTL))
	}
	if o.issuer == "" {
		if o.admin != "" {
			errs = append(errs, errors.New("-admin needs an -issuer"))
		}
		return errors.Join(append(errs, demo.CheckDevIssuer(o.devAddr))...)
	}
	if o.admin != "" && !isName(o.admin) {
		errs = append(errs, fmt.Errorf("-admin %q: %w", o.admin, errBadName))
	}
	if _, err := claims.NewVerifier(o.verifierConfig()); err != nil {
		errs = append(errs, fmt.Errorf("-issuer or -audience: %w", err))
	}
	return errors.Join(errs...)
}

func (o *options) verifierConfig() claims.Config {
	return claims.Config{Issuer: o.issuer, Audiences: []string{o.audience}}
}

func isPostgres(database string) bool {
	return strings.HasPrefix(database, "postgres://") ||
		strings.HasPrefix(database, "postgresql://")
}
