package statictoken

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// Token is what is known of a token: what a line of a file says, or a row of a
// database. It opens no door. [Mint] makes one.
type Token struct {
	// Hash is what is kept of the token itself, as Mint returns it.
	Hash string `json:"hash"`

	// Subject and Client are who calls, as [claims.Claims.Subject] and ClientID
	// return them. Subject is required.
	Subject string `json:"subject"`
	Client  string `json:"client,omitempty"`

	// Scopes are those that the caller has (RFC 6749 section 3.3), and
	// Permissions what they may do, or, with [Config].PermissionMap, what is
	// mapped to that.
	Scopes      []string `json:"scopes,omitempty"`
	Permissions []string `json:"permissions,omitempty"`

	// Expires is when the token expires. Zero means never.
	Expires time.Time `json:"expires,omitzero"`

	// Networks are those that the token may be used from; none means all. The
	// address is that of the other end of the connection
	// ([claims.Proof.Peer]): behind a proxy, the proxy's.
	Networks []netip.Prefix `json:"networks,omitempty"`

	// Note is for people.
	Note string `json:"note,omitempty"`
}

// Mint returns a new token, to be shown once and kept by nobody here, and t
// with its hash. The prefix is that of [Config]; empty means "sallyport". The
// error reports everything that is wrong with t and the prefix.
func Mint(key Key, prefix string, t Token) (token string, minted Token, err error) {
	if prefix == "" {
		prefix = defaultPrefix
	}
	if err := checkPrefix(prefix); err != nil {
		return "", Token{}, fmt.Errorf("statictoken: Mint: the prefix %q %w", prefix, err)
	}
	token, t.Hash = newSecret(key, prefix)
	if _, err := t.compile(nil); err != nil {
		return "", Token{}, fmt.Errorf("statictoken: Mint: %w", err)
	}
	if !t.Expires.IsZero() && !time.Now().Before(t.Expires) {
		return "", Token{}, fmt.Errorf("statictoken: Mint: Expires of %s is over",
			t.Expires.Format(time.RFC3339))
	}
	return token, t, nil
}

// line returns the line of a file.
func (t Token) line() ([]byte, error) {
	t.Expires = t.Expires.UTC().Truncate(time.Second)
	text, err := json.Marshal(t)
	return append(text, '\n'), err
}

// readToken reads a line of a file, more strictly than encoding/json.
func readToken(line string) (t Token, err error) {
	var seen strict.Members
	var networks []string
	expires := ""
	r := strict.NewReader(line)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		if r.Failed() {
			break
		}
		switch name {
		case "hash":
			t.Hash = r.ReadString()
		case "subject":
			t.Subject = r.ReadString()
		case "client":
			t.Client = r.ReadString()
		case "scopes":
			t.Scopes = readList(&r)
		case "permissions":
			t.Permissions = readList(&r)
		case "expires":
			expires = r.ReadString()
		case "networks":
			networks = readList(&r)
		case "note":
			t.Note = r.ReadString()
		default:
			return t, fmt.Errorf("member %q is not known", name)
		}
		if r.Failed() {
			return t, fmt.Errorf("member %q is not what it should be", name)
		}
	}
	if !r.End() {
		return t, errNotJSON
	}
	if _, ok := seen.Find("networks"); ok && len(networks) == 0 {
		return t, errors.New(`member "networks" is empty: leave it out for all`)
	}
	if _, ok := seen.Find("expires"); ok {
		if t.Expires, err = time.Parse(time.RFC3339, expires); err != nil {
			return t, fmt.Errorf(`member "expires" of %q is not a time of RFC 3339`, expires)
		}
	}
	for _, text := range networks {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return t, fmt.Errorf(`member "networks": %q is not a network such as 10.0.0.0/8`, text)
		}
		t.Networks = append(t.Networks, network)
	}
	return t, nil
}

var errNotJSON = errors.New("not a JSON object whose members are there once")

// readList reads an array of strings, and no string alone.
func readList(r *strict.Reader) []string {
	if r.Peek() != '[' {
		r.Fail()
		return nil
	}
	return r.ReadStrings()
}

// check reports everything that is wrong with a Token.
func (t Token) check() error {
	var errs []error
	report := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, ok := parseHash(t.Hash); !ok {
		report("Hash is not one that Mint made")
	}
	if t.Subject == "" {
		report("Subject is required")
	}
	for _, scope := range t.Scopes {
		if !isScope(scope) {
			report("Scopes: %q is not a scope (RFC 6749 section 3.3)", scope)
		}
	}
	if slices.Contains(t.Permissions, "") {
		report("Permissions %q has an empty one", t.Permissions)
	}
	if year := t.Expires.UTC().Year(); !t.Expires.IsZero() && (year < 1970 || year > 9999) {
		report("Expires is not between 1970 and 9999")
	}
	for _, network := range t.Networks {
		switch {
		case !network.IsValid():
			report("Networks has one that is not valid")
		case network != network.Masked():
			report("Networks: %s has bits beyond its length, %s has not", network, network.Masked())
		case network.Addr().Is4In6():
			report("Networks: %s is to be written as IPv4", network)
		}
	}
	return errors.Join(errs...)
}

func parseHash(text string) (h hash, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(h) || strings.ContainsAny(text, "\r\n") {
		return h, false
	}
	return hash(raw), true
}

// isScope reports whether s is a scope-token (RFC 6749 section 3.3).
func isScope(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}
