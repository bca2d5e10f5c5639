package mtls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
)

// ForwardedConfig says which proxies hand certificates on, and how.
type ForwardedConfig struct {
	// Proxies are the addresses of the proxies that are trusted to set Field,
	// to what they have verified, whatever the client sent in it. Required: a
	// prefix that has any other machine in it lets that machine be anybody.
	Proxies []netip.Prefix

	// Field is how they hand the certificate on. Required.
	Field Field
}

// Field is a header field in which a proxy hands on the certificate of its
// client. The zero value is none.
type Field struct {
	name  string // canonical
	read  func(value string) (*x509.Certificate, error)
	along []string // others that belong to it, canonical
}

// ClientCert is the field Client-Cert of RFC 9440.
func ClientCert() Field {
	return Field{"Client-Cert", readByteSequence, []string{"Client-Cert-Chain"}}
}

// EnvoyXFCC is the field X-Forwarded-Client-Cert of Envoy and meshes made of
// it, which must be set to hand on the whole certificate
// (set_current_client_cert_details, cert) and nothing that came before
// (SANITIZE_SET): several elements are refused.
func EnvoyXFCC() Field {
	return Field{"X-Forwarded-Client-Cert", readXFCC, nil}
}

// EscapedPEM is a field of this name that has the certificate in PEM, escaped
// as in a URL: what nginx has as $ssl_client_escaped_cert. The name is that of
// the proxy's configuration, such as "X-SSL-Client-Cert".
func EscapedPEM(name string) Field {
	return Field{textproto.CanonicalMIMEHeaderKey(name), readEscapedPEM, nil}
}

// Forwarded finds the certificates that trusted proxies hand on. It is
// immutable and safe for concurrent use. [NewForwarded] makes one.
type Forwarded struct {
	proxies []netip.Prefix
	field   Field
}

// NewForwarded returns a Forwarded. The error reports everything that is wrong
// with cfg.
func NewForwarded(cfg ForwardedConfig) (*Forwarded, error) {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("mtls: NewForwarded: ForwardedConfig."+format, args...))
	}
	if len(cfg.Proxies) == 0 {
		wrong("Proxies names no proxy")
	}
	for i, prefix := range cfg.Proxies {
		switch {
		case !prefix.IsValid():
			wrong("Proxies[%d] is not valid", i)
		case prefix.Bits() == 0:
			wrong("Proxies[%d] of %s is everybody", i, prefix)
		case prefix.Addr().Is4In6():
			wrong("Proxies[%d] of %s must be written as IPv4", i, prefix)
		}
	}
	switch name := cfg.Field.name; {
	case cfg.Field.read == nil:
		wrong("Field is none")
	case !isToken(name), slices.Contains([]string{"Authorization", "Dpop", "Host"}, name):
		wrong("Field of %q is no name for such a field", name)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Forwarded{slices.Clone(cfg.Proxies), cfg.Field}, nil
}

// IsMade reports whether f was made by [NewForwarded].
func (f *Forwarded) IsMade() bool { return f != nil && f.field.read != nil }

// Trusts reports whether a peer is one of the proxies. The zero Addr is none.
func (f *Forwarded) Trusts(peer netip.Addr) bool {
	peer = peer.Unmap().WithZone("")
	return slices.ContainsFunc(f.proxies, func(p netip.Prefix) bool { return p.Contains(peer) })
}

// Fields returns the names of the fields that count from a proxy alone, as
// [net/http.Header] has them: what has them and is from anybody else is to lose
// them before anything looks at the request.
func (f *Forwarded) Fields() []string {
	return append([]string{f.field.name}, f.field.along...)
}

// Certificate returns the certificate that a proxy has handed on, by the values
// of the first of Fields: nil if there is none, and an error if there are
// several, or one that cannot be read.
func (f *Forwarded) Certificate(values []string) (*x509.Certificate, error) {
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return nil, nil
	case len(values) > 1:
		return nil, fmt.Errorf("mtls: the proxy has set %s %d times", f.field.name, len(values))
	case len(values[0]) > maxField:
		return nil, fmt.Errorf("mtls: %s has more than %d bytes", f.field.name, maxField)
	}
	certificate, err := f.field.read(values[0])
	if err != nil {
		return nil, fmt.Errorf("mtls: %s: %w", f.field.name, err)
	}
	return certificate, nil
}

// maxField is how long a field may be, in bytes.
const maxField = 64 << 10

func isToken(name string) bool {
	return name != "" && strings.IndexFunc(name, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", c)
	}) < 0
}
