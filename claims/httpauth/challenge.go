package httpauth

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// ChallengeConfig says what a [Challenge] has besides a refusal. The zero value
// is a challenge for Bearer tokens.
type ChallengeConfig struct {
	// Scheme is the authentication scheme that the challenge invites, a token
	// of at most 32 characters (RFC 9110 section 11.1). Empty means "Bearer".
	Scheme string

	// Realm names what is protected, shown to clients (RFC 9110 section 11.5),
	// in printable ASCII. Empty means "api": RFC 6750 section 3 wants at least
	// one parameter.
	Realm string

	// Params stand in every challenge after the realm, in this order, such as
	// resource_metadata (RFC 9728 section 5.1) or algs (RFC 9449 section 7.1).
	// The parameters that Field writes by itself cannot be among them. Nil
	// means none.
	Params []Param
}

// Param is a parameter of a challenge (RFC 9110 section 11.2). The zero value
// is invalid.
type Param struct {
	// Name is a token, which no other parameter has in any case.
	Name string

	// Value is printable ASCII. It is written as a quoted-string.
	Value string
}

// Challenge makes the WWW-Authenticate fields of refusals (RFC 9110 section
// 11.6.1, RFC 6750 section 3). It is immutable and safe for concurrent use.
// [NewChallenge] makes one; the zero value is the challenge of the zero
// [ChallengeConfig].
//
// A server of several schemes can have a Challenge for each, or one and its
// Fields. They can be sent one by one, which more clients understand, or joined
// by ", " in one.
type Challenge struct {
	bare  string // scheme, realm and Params; empty for the zero Challenge
	realm string // quoted, empty for the zero Challenge
}

// bare is the challenge of the zero ChallengeConfig.
const bare = `Bearer realm="api"`

// written are the parameters that no ChallengeConfig can have: those of Field,
// and error_uri, which does not belong where there is no error.
var written = []string{
	"realm", "error", "error_description", "error_uri", "scope", "acr_values", "max_age",
}

// NewChallenge returns a Challenge. The error reports everything that is wrong
// with cfg.
func NewChallenge(cfg ChallengeConfig) (Challenge, error) {
	if cfg.Scheme == "" {
		cfg.Scheme = "Bearer"
	}
	if cfg.Realm == "" {
		cfg.Realm = "api"
	}
	if err := cfg.validate(); err != nil {
		return Challenge{}, err
	}
	var b strings.Builder
	b.WriteString(cfg.Scheme + " realm=" + quoted(cfg.Realm))
	for _, param := range cfg.Params {
		b.WriteString(", " + param.Name + "=" + quoted(param.Value))
	}
	return Challenge{b.String(), quoted(cfg.Realm)}, nil
}

func (cfg ChallengeConfig) validate() error {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("httpauth: ChallengeConfig."+format, args...))
	}
	if !isToken(cfg.Scheme) || len(cfg.Scheme) > maxScheme {
		wrong("Scheme of %q must be a token (RFC 9110 section 5.6.2) of at most %d characters",
			cfg.Scheme, maxScheme)
	}
	if !isPrintable(cfg.Realm) {
		wrong("Realm of %q must be printable ASCII", cfg.Realm)
	}
	seen := slices.Clone(written)
	for i, param := range cfg.Params {
		name := strings.ToLower(param.Name)
		switch {
		case !isToken(param.Name):
			wrong("Params[%d].Name of %q must be a token (RFC 9110 section 5.6.2)", i, param.Name)
		case slices.Contains(written, name):
			wrong("Params[%d].Name of %q is a parameter that the challenge writes itself",
				i, param.Name)
		case slices.Contains(seen, name):
			wrong("Params[%d].Name of %q stands there twice (RFC 9110 section 11.2)",
				i, param.Name)
		}
		seen = append(seen, name)
		if !isPrintable(param.Value) {
			wrong("Params[%d].Value of %q must be printable ASCII", i, param.Value)
		}
	}
	return errors.Join(errs...)
}

// Field returns the field value that goes with a refusal, empty if none does:
//
//   - for [claims.ErrForbidden] and [claims.ErrUnavailable] nothing: no other
//     token would help, and a client that is challenged asks for one for ever
//   - for [claims.ErrNoToken] the scheme, the realm and Params, but no error
//     code: the client may not have known (RFC 6750 section 3.1)
//   - for any other the error code and its fixed text too, and for
//     [claims.ErrInsufficientAuthentication] acr_values and max_age (RFC 9470
//     section 3)
//
// Whichever it is, a challenge has the scope of the refusal if there is one:
// what the client has to ask its next token for. A nil refusal stands for a
// request that did not use this scheme: the field is that of ErrNoToken.
//
// The challenge of a [claims.Second] has the name of the credential for its
// scheme, which no client takes for the one that the Authorization field has,
// and none of Params, which are about the first.
func (c Challenge) Field(refusal *claims.Error) string {
	field := c.bare
	if field == "" {
		field = bare
	}
	if refusal == nil {
		return field
	}
	if second := refusal.Second(); second != "" {
		field = second + " realm=" + cmp.Or(c.realm, `"api"`)
	}
	switch refusal.Class() {
	case claims.ErrForbidden, claims.ErrUnavailable:
		return ""
	}
	field += faults.For(refusal)
	if scope := refusal.Scope(); scope != "" {
		field += ", scope=" + quoted(scope)
	}
	if values := refusal.ACRValues(); values != "" {
		field += ", acr_values=" + quoted(values)
	}
	if age := refusal.MaxAge(); age > 0 {
		field += `, max_age="` + strconv.FormatInt(int64(age/time.Second), 10) + `"`
	}
	return field
}

// faults are the error parameters of challenges.
var faults = Prepare(func(refusal *claims.Error) string {
	code := codeOf(refusal)
	if code == "" {
		return ""
	}
	return `, error="` + code + `", error_description="` + refusal.Text() + `"`
})

// codeOf returns the error code of a refusal (RFC 6750 section 3.1, RFC 9470
// section 3, RFC 9449 sections 7.1 and 9), empty for one that has none.
func codeOf(refusal *claims.Error) string {
	switch refusal.Reason() {
	case claims.ReasonProof, claims.ReasonProofTarget, claims.ReasonProofTime,
		claims.ReasonProofUsed:
		return "invalid_dpop_proof"
	case claims.ReasonNonce:
		return "use_dpop_nonce"
	}
	switch refusal.Class() {
	case claims.ErrInvalidRequest:
		return "invalid_request"
	case claims.ErrInvalidToken:
		return "invalid_token"
	case claims.ErrInsufficientAuthentication:
		return "insufficient_user_authentication"
	case claims.ErrInsufficientScope:
		return "insufficient_scope"
	}
	return ""
}

// isToken reports whether s is a token (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	other := func(r rune) bool {
		return (r < 'a' || 'z' < r) && (r < 'A' || 'Z' < r) && (r < '0' || '9' < r) &&
			!strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	return s != "" && strings.IndexFunc(s, other) < 0
}

// isPrintable reports whether s has nothing but printable ASCII, which is what
// every client reads alike in a quoted-string, and gRPC in a metadata value.
func isPrintable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f }) < 0
}

// quoted returns a quoted-string (RFC 9110 section 5.6.4), without what cannot
// be in one.
func quoted(s string) string {
	special := func(r rune) bool { return r < 0x20 || r >= 0x7f || r == '"' || r == '\\' }
	if strings.IndexFunc(s, special) < 0 {
		return `"` + s + `"`
	}
	b := []byte{'"'}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case 0x20 <= c && c < 0x7f:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}
