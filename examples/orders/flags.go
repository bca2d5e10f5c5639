package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/jwks"
)

const usage = `usage: orders [flags]

  -http ADDR        HTTP API (127.0.0.1:8080)
  -grpc ADDR        gRPC API (127.0.0.1:8081)
  -issuer URL       trusted issuer, repeatable; with none, the embedded
                    development issuer
  -dev-issuer ADDR  where the embedded issuer listens (127.0.0.1:8082)
  -jwks-url URL     key set URL of a single -issuer, skipping discovery
  -audience AUD     accepted audience, repeatable (https://orders.example)
  -sandbox-issuer URL
                    trusted issuer of a second token, in X-Sandbox-Token or the
                    metadata x-sandbox-token, that all but public operations need
  -static-tokens FILE
                    tokens of the service's own, beside those of issuers
  -mint-token 'subject=S client=C scope=a,b expires=24h'
                    add one to FILE, print it once, and serve nothing; also
                    permission=, network=10.0.0.0/8 and note=
  -introspect URL   ask this endpoint about opaque tokens
  -introspect-client ID:SECRET
                    who asks it
  -tls-cert FILE, -tls-key FILE
                    both APIs over TLS
  -mtls             ask for client certificates (any issuer: the binding
                    counts); tokens bound to one pass with it
  -dpop             DPoP-bound tokens pass with their proof
  -dpop-nonce       ... and a nonce of the server's is demanded
  -base-url URL     the URL that clients see (htu, resource metadata); else
                    scheme, Host and path of the request
  -access-table     print what each operation needs, as Markdown, and serve
                    nothing; -access-table=json prints it as JSON
  -metrics          GET /metrics for Prometheus, public
  -logout           POST /backchannel-logout for each trusted issuer
  -logout-client ID this service at the issuers, the audience of their logout
                    tokens (orders)
  -events AUD       POST /events: security events of a trusted issuer, whose
                    audience is AUD
  -admin-token T    POST /revocations with Bearer T: JSON of "issuer" and any of
                    "subject", "client_id", "session", "token", "before"
  -redis URL        what has ended, and DPoP proofs, shared with other replicas
  -fresh DURATION   writing and deleting need news that is not older, nor keys:
                    a second at least

ADDR is HOST:PORT; port 0 takes a free one.
`

const defaultAudience = "https://orders.example"

// options is what the command line says.
type options struct {
	httpAddr, grpcAddr string
	devAddr            string // of the embedded issuer, used if issuers is empty
	issuers            []string
	jwksURL            string
	audiences          []string
	table              tableFlag // to print it instead of serving
	metrics            bool
	news               newsFlags
	sandboxIssuer      string
	kinds              kindFlags
	bound              binding

	// trusted are the issuers, ready for use; nil if issuers is empty.
	trusted *claims.Issuers
	records *records          // nil if issuers is empty
	senders []receiver.Sender // the issuers, as those of news
	sandbox *sandbox          // nil if there is none
}

// parseOptions reads the command line. The error is [flag.ErrHelp], or names
// every flag with a value that cannot be used.
func parseOptions(args []string) (*options, error) {
	var o options
	fs := flag.NewFlagSet("orders", flag.ContinueOnError)
	fs.StringVar(&o.httpAddr, "http", "127.0.0.1:8080", "")
	fs.StringVar(&o.grpcAddr, "grpc", "127.0.0.1:8081", "")
	fs.StringVar(&o.devAddr, "dev-issuer", "127.0.0.1:8082", "")
	fs.StringVar(&o.jwksURL, "jwks-url", "", "")
	fs.Var(&o.table, "access-table", "")
	fs.BoolVar(&o.metrics, "metrics", false, "")
	o.news.register(fs)
	fs.StringVar(&o.sandboxIssuer, "sandbox-issuer", "", "")
	o.kinds.register(fs)
	o.bound.register(fs)
	repeatable(fs, "issuer", &o.issuers)
	repeatable(fs, "audience", &o.audiences)
	if err := demo.Parse(fs, args); err != nil {
		return nil, err
	}
	if len(o.audiences) == 0 {
		o.audiences = []string{defaultAudience}
	}
	return &o, errors.Join(o.checkAddresses(), o.table.check(), o.news.check(),
		o.bound.open(o.news.redis), o.trust(), o.openKinds())
}

// openKinds makes the kinds of token beside JWTs, once it is known how bound
// ones are proven.
func (o *options) openKinds() error {
	return o.kinds.open(o.issuers, o.audiences, o.bound.confirmers)
}

func repeatable(fs *flag.FlagSet, name string, list *[]string) {
	fs.Func(name, "", func(value string) error {
		*list = append(*list, value)
		return nil
	})
}

func (o *options) checkAddresses() error {
	errs := []error{checkAddress("http", o.httpAddr), checkAddress("grpc", o.grpcAddr)}
	if len(o.issuers) == 0 {
		err := checkAddress("dev-issuer", o.devAddr)
		if err == nil {
			err = demo.CheckDevIssuer(o.devAddr)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func checkAddress(name, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("-%s %q: must be HOST:PORT with a port from 0 to 65535", name, addr)
	}
	return nil
}

// trust sets o.trusted.
func (o *options) trust() error {
	var errs []error
	if slices.Contains(o.audiences, "") {
		errs = append(errs, errors.New("-audience must not be empty"))
	}
	if o.jwksURL != "" && len(o.issuers) != 1 {
		errs = append(errs,
			fmt.Errorf("-jwks-url needs exactly one -issuer, not %d", len(o.issuers)))
	}
	if o.jwksURL != "" {
		if _, err := jwks.NewCache(jwks.Config{URL: o.jwksURL}); err != nil {
			errs = append(errs, fmt.Errorf("-jwks-url %q: %w", redacted(o.jwksURL), err))
		}
	}
	var err error
	if o.sandbox, err = newSandbox(o.sandboxIssuer, o.audiences); err != nil {
		errs = append(errs, err)
	}
	if slices.Contains(o.issuers, o.sandboxIssuer) && o.sandboxIssuer != "" {
		errs = append(errs, fmt.Errorf("-sandbox-issuer %q is an -issuer too: "+
			"one token would be both credentials", redacted(o.sandboxIssuer)))
	}
	if len(o.issuers) > 0 {
		o.records, err = newRecords(o.metrics, o.issuers...)
		errs = append(errs, err)
	}
	var configs []claims.Config
	for _, issuer := range o.issuers {
		if issuer == "" {
			errs = append(errs, errors.New("-issuer must not be empty"))
			continue
		}
		keys, err := jwks.NewCache(jwks.Config{
			Issuer: issuer, URL: o.jwksURL, Observer: o.records.ofKeys(issuer),
		})
		if err != nil && o.jwksURL == "" {
			errs = append(errs, fmt.Errorf("-issuer %q: %w", redacted(issuer), err))
		}
		configs = append(configs, claims.Config{
			Issuer: issuer, Audiences: o.audiences, Keys: keys, Confirmers: o.bound.confirmers,
		})
		o.senders = append(o.senders, receiver.Sender{Issuer: issuer, Keys: keys})
	}
	if err := errors.Join(errs...); err != nil || len(configs) == 0 {
		return err
	}
	o.trusted, err = claims.NewIssuers(configs...)
	return err
}

// redacted keeps the password of a URL out of the message about it.
func redacted(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	return u.Redacted()
}
