package introspection

import (
	"fmt"
	"net"
	"net/url"
	"reflect"
)

// validate reports what is wrong with a Config, but for what it accepts.
func (cfg Config) validate(name string) []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("introspection: "+name+": Config."+format, args...))
	}
	if fault := faultOfURL(cfg.Endpoint); fault != "" {
		report("Endpoint %s", fault)
	}
	switch {
	case cfg.Client.fault != "":
		report("Client %s", cfg.Client.fault)
	case cfg.Client.apply == nil:
		report("Client is required: how this API authenticates to the endpoint")
	}
	if cfg.MaxAge < 0 || cfg.MaxAge > maxMaxAge {
		report("MaxAge of %s is not between 0 and %s", cfg.MaxAge, maxMaxAge)
	}
	if cfg.Timeout < 0 || cfg.Timeout > maxTimeout {
		report("Timeout of %s is not between 0 and %s", cfg.Timeout, maxTimeout)
	}
	return errs
}

// faultOfURL says what is wrong with an endpoint. It does not show a URL that
// may have a secret in it.
func faultOfURL(text string) string {
	if text == "" {
		return "is required"
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is not a URL"
	case u.User != nil:
		return "must not have user information"
	case u.Fragment != "" || u.Host == "":
		return fmt.Sprintf("of %q must be an absolute URL without a fragment", u)
	case u.Scheme == "https":
		return ""
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	}
	return fmt.Sprintf("of %q must be https (http is for loopback addresses)", u)
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// isNil reports whether an interface has a nil pointer in it.
func isNil(v any) bool {
	value := reflect.ValueOf(v)
	switch value.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan, reflect.Slice:
		return value.IsNil()
	}
	return false
}
