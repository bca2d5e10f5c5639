package statuslist

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

// Issuer is one whose tokens may have a status.
type Issuer struct {
	// Issuer is "iss" of the tokens, byte for byte. Required.
	Issuer string

	// Prefixes are what the URLs of its lists begin with, each an https URL, or
	// http on a loopback address, that ends in "/". A token that names any
	// other URL is refused, and none is fetched. Required.
	Prefixes []string

	// Keys finds the keys that lists are signed with. Nil means that they are
	// discovered from the metadata of Issuer, as those of its tokens.
	Keys claims.KeySource

	// Required refuses tokens without a place in a list. Without it they pass,
	// as nobody said that they could end.
	Required bool
}

// issuer is an Issuer that has been validated.
type issuer struct {
	Issuer
	keys claims.KeySource
}

func (i Issuer) compile(report func(format string, args ...any)) *issuer {
	if i.Issuer == "" {
		report("Issuer is required")
	}
	if len(i.Prefixes) == 0 {
		report("Prefixes is required: where the lists are")
	}
	i.Prefixes = slices.Clone(i.Prefixes)
	for _, prefix := range i.Prefixes {
		if err := checkPrefix(prefix); err != nil {
			report("Prefixes: %q %w", prefix, err)
		}
	}
	compiled := &issuer{i, i.Keys}
	if i.Keys != nil {
		if r := reflect.ValueOf(i.Keys); r.Kind() == reflect.Pointer && r.IsNil() {
			report("Keys of %T is nil, as a constructor returns beside an error", i.Keys)
		}
	} else if i.Issuer != "" {
		cache, err := jwks.NewCache(jwks.Config{Issuer: i.Issuer})
		if err != nil {
			report("Issuer or Keys: %w", err)
		}
		compiled.keys = cache
	}
	return compiled
}

func checkPrefix(prefix string) error {
	u, err := url.Parse(prefix)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("is not a URL of a host and a path alone")
	case !strings.HasSuffix(prefix, "/"):
		return errors.New(`does not end in "/"`)
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("is not https, nor http on a loopback address")
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// checkURI refuses whatever is not below a prefix, however it is written.
func (i *issuer) checkURI(uri string) error {
	if !slices.ContainsFunc(i.Prefixes, func(prefix string) bool {
		return strings.HasPrefix(uri, prefix) && len(uri) > len(prefix)
	}) {
		return fmt.Errorf("statuslist: the list %.200q is below none of the prefixes", uri)
	}
	u, err := url.Parse(uri)
	if err != nil || u.User != nil || strings.ContainsAny(uri, "\\#") {
		return fmt.Errorf("statuslist: the list %.200q is not a plain URL", uri)
	}
	for segment := range strings.SplitSeq(u.Path, "/") { // decoded
		if segment == "." || segment == ".." || strings.Contains(segment, "\\") {
			return fmt.Errorf("statuslist: the list %.200q has a path that goes elsewhere", uri)
		}
	}
	return nil
}
