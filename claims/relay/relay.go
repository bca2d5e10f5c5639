package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/presented"
)

// Config says what a [Relay] passes on, and where to. The zero value is
// invalid: there is no host that it is safe to assume.
type Config struct {
	// Hosts are those that the token may go to, as in a URL: "billing.example",
	// which means port 443, or "billing.example:8443". There are no wildcards.
	// Required.
	Hosts []string

	// InsecureHTTPHosts are those of Hosts, and that of Exchange.TokenURL, that
	// may be asked without TLS: whoever is on the way has the token then. A
	// port that is not 80 has to be named. It is for tests, and for what is on
	// this machine.
	InsecureHTTPHosts []string

	// Exchange has the token exchanged for one that is for the other service.
	// Nil means that the caller's own token is passed on.
	Exchange *Exchange
}

// Relay passes the tokens of callers on. It is safe for concurrent use. [New]
// makes one; the zero value passes nothing on.
type Relay struct {
	hosts, insecure []string
	exchange        *exchanger // nil for none
}

// New returns a Relay. The error reports everything that is wrong with cfg.
func New(cfg Config) (*Relay, error) {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("relay: New: Config."+format, args...))
	}
	if len(cfg.Hosts) == 0 {
		wrong("Hosts is empty: the token would go anywhere")
	}
	r := &Relay{}
	for _, host := range cfg.Hosts {
		if fault := hostFault(host); fault != "" {
			wrong("Hosts has %q, which %s", host, fault)
		}
		r.hosts = append(r.hosts, withoutPort(host, "443"))
	}
	for _, host := range cfg.InsecureHTTPHosts {
		if fault := hostFault(host); fault != "" {
			wrong("InsecureHTTPHosts has %q, which %s", host, fault)
		}
		r.insecure = append(r.insecure, withoutPort(host, "80"))
	}
	if cfg.Exchange != nil {
		r.exchange = newExchanger(*cfg.Exchange, r.insecure, wrong)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// hostFault says what is wrong with a host of a Config, empty for nothing.
func hostFault(host string) string {
	u, err := url.Parse("https://" + host)
	switch {
	case strings.Contains(host, "://"):
		return "is a URL: write its host alone"
	case strings.Contains(host, "*"):
		return "has a wildcard: name each host"
	case err != nil || host == "" || u.Host != host || u.Hostname() == "" ||
		strings.HasSuffix(host, ":"):
		return "is no host, nor host and port"
	case host != strings.ToLower(host):
		return "is not in lower case"
	}
	return ""
}

// withoutPort returns a host without the port that its scheme stands for.
func withoutPort(host, port string) string {
	if name, p, err := net.SplitHostPort(host); err == nil && p == port {
		if strings.Contains(name, ":") {
			return "[" + name + "]"
		}
		return name
	}
	return host
}

// ErrNoToken means that there is no token to pass on. It is the service's
// fault, and no refusal of its caller.
var ErrNoToken = errors.New("relay: the context has no token: it is not of a guarded request, " +
	"its caller is anonymous, or the transport's Config.KeepToken is not set")

var (
	errNotMade = errors.New("relay: the Relay was not made by New")
	errBound   = errors.New("relay: the token is bound to a key, so nobody else can use it: " +
		"exchange it")
)

// May returns an error unless the token may go to this URL, of which scheme and
// host count.
func (r *Relay) May(to *url.URL) error {
	if r == nil || len(r.hosts) == 0 {
		return errNotMade
	}
	host := strings.ToLower(to.Host)
	switch strings.ToLower(to.Scheme) {
	case "https":
		if slices.Contains(r.hosts, withoutPort(host, "443")) {
			return nil
		}
	case "http":
		if slices.Contains(r.insecure, withoutPort(host, "80")) &&
			(slices.Contains(r.hosts, host) || slices.Contains(r.hosts, withoutPort(host, "80"))) {
			return nil
		}
		return fmt.Errorf("relay: %s may not be sent a token without TLS", host)
	}
	return fmt.Errorf("relay: %s is none of Config.Hosts", host)
}

// IsInsecure reports whether some of the hosts are asked without TLS.
func (r *Relay) IsInsecure() bool { return r != nil && len(r.insecure) > 0 }

// Token returns the token to send to a host that [Relay.May] has said yes to:
// that of the caller of the request that ctx is of, or what it was exchanged
// for. The error is [ErrNoToken] if there is none, and an [*ExchangeError] if
// the token endpoint refuses.
func (r *Relay) Token(ctx context.Context) (string, error) {
	if r == nil || len(r.hosts) == 0 {
		return "", errNotMade
	}
	token := presented.Token(ctx)
	caller, ok := claims.FromContext(ctx)
	if !ok || token == "" {
		return "", ErrNoToken
	}
	if r.exchange != nil {
		return r.exchange.token(ctx, token, caller.ValidUntil())
	}
	var bound struct {
		Confirmation json.RawMessage `json:"cnf"`
	}
	if err := caller.Decode(&bound); err != nil || bound.Confirmation != nil {
		return "", errBound
	}
	return token, nil
}
