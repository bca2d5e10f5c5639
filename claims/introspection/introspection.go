package introspection

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/inquiry"
	"github.com/sallyport-go/sallyport/claims/internal/presented"
)

const (
	defaultMaxAge    = time.Minute
	maxMaxAge        = time.Hour
	defaultTimeout   = 5 * time.Second
	maxTimeout       = 30 * time.Second
	inactiveAge      = 10 * time.Second
	defaultTokens    = 10_000
	defaultTokenSize = 16 << 10
)

// Config says whom to ask about tokens, and which are accepted.
type Config struct {
	// Endpoint is the URL of the introspection endpoint: https, or http on a
	// loopback address. Required.
	Endpoint string

	// Client is how this API authenticates to the endpoint: [Basic], [Post],
	// [PrivateKeyJWT], [MutualTLS] or [BearerToken]. Required.
	Client Client

	// Accept says which tokens are accepted, and what their claims mean, as it
	// does of a [claims.Verifier]: Issuer and Audiences, or
	// InsecureSkipAudience, are required. The fields about keys, algorithms and
	// "typ" of a header mean nothing here. MaxTokens is how many active tokens
	// are remembered; an eighth as many that are not are, too.
	Accept claims.Config

	// MaxAge is how long an answer counts: a token that is revoked is refused,
	// and what is open ends, after that time at the latest. Zero means a
	// minute; at most an hour.
	MaxAge time.Duration

	// Timeout is how long one call may take. Zero means 5 seconds; at most 30.
	Timeout time.Duration

	// HTTP makes the calls. Redirects are not followed, whatever it says. Nil
	// means one with connections of its own.
	HTTP *http.Client

	// Recognizes reports whether a token has the form of those that the
	// endpoint knows: another is left to the next in [claims.FirstOf], and
	// nobody is asked. Where tokens have a prefix, say so: it keeps strangers
	// from having the endpoint asked. It must be quick; if it panics, the
	// request cannot be decided. Nil means all but JWTs.
	Recognizes func(token string) bool

	// SignedBy are the keys that answers are signed with (RFC 9701): those of
	// the issuer. Then an answer that is not signed says nothing; its "aud"
	// must be the ID of Client. Nil means that answers are plain JSON.
	SignedBy claims.KeySource
}

// Introspector is an [claims.Authenticator] that asks an endpoint. It is
// immutable and safe for concurrent use. [New] makes one, and [NewTokenReview];
// a zero Introspector cannot decide.
type Introspector struct {
	issuer     string
	maxSize    int
	maxAge     time.Duration
	examiner   *claims.Examiner
	recognizes func(string) bool
	endpoint   endpoint
	desk       *inquiry.Desk[active]
}

var _ claims.Authenticator = (*Introspector)(nil)

// active is what an endpoint said of an active token.
type active struct {
	caller *claims.Claims
	scheme string // under which it must be presented; empty for any
}

// endpoint asks about a token.
type endpoint interface {
	// ask returns the claims of an active token as a JSON object. The error is
	// a refusal of the token, as a [*claims.Error], or why it cannot be told.
	ask(ctx context.Context, token string) (object []byte, err error)
}

// New returns an Introspector. It does no I/O. The error reports everything
// that is wrong with cfg.
func New(cfg Config) (*Introspector, error) {
	errs := cfg.validate("New")
	if cfg.Recognizes == nil {
		cfg.Recognizes = func(token string) bool { return !isJWT(token) }
	}
	var signed *signature
	if cfg.SignedBy != nil {
		signed = &signature{keys: cfg.SignedBy, issuer: cfg.Accept.Issuer, audience: cfg.Client.id}
		if isNil(cfg.SignedBy) {
			errs = append(errs, fmt.Errorf(
				"introspection: New: Config.SignedBy is a nil %T", cfg.SignedBy))
		}
		if cfg.Client.id == "" && cfg.Client.apply != nil {
			errs = append(errs, errors.New(
				"introspection: New: Config.SignedBy needs a Client that has an ID"))
		}
	}
	return newIntrospector("New", cfg, errs, &introspection{
		url: cfg.Endpoint, client: cfg.Client, issuer: cfg.Accept.Issuer,
		http: newHTTP(cfg.HTTP), signed: signed,
	})
}

func newIntrospector(name string, cfg Config, errs []error, by endpoint) (*Introspector, error) {
	examiner, err := claims.NewExaminer(cfg.Accept)
	if err != nil {
		for _, err := range each(err) {
			errs = append(errs, fmt.Errorf("introspection: %s: Config.Accept: %w", name, err))
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	most := max(cmp.Or(cfg.Accept.MaxTokens, defaultTokens), 0)
	in := &Introspector{
		issuer: cfg.Accept.Issuer, maxSize: cmp.Or(cfg.Accept.MaxTokenSize, defaultTokenSize),
		maxAge: cmp.Or(cfg.MaxAge, defaultMaxAge), examiner: examiner,
		recognizes: cfg.Recognizes, endpoint: by,
	}
	in.desk = inquiry.New(inquiry.Config[active]{
		Name: foreign.Name("introspection"), Ask: in.ask,
		Timeout: cmp.Or(cfg.Timeout, defaultTimeout), Tokens: most, Refused: (most + 7) / 8,
	})
	return in, nil
}

// each returns the errors that were joined in err.
func each(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// Refusals without particulars, made once.
var (
	errForm = claims.NewError(claims.ErrInvalidToken, claims.ReasonMalformed, fmt.Errorf(
		"introspection: not of the form that the endpoint knows: %w", claims.ErrUnrecognized))
	errTooLarge = claims.NewError(claims.ErrInvalidToken, claims.ReasonTooLarge, nil)
	errCrowd    = refused("introspection: " + inquiry.ErrCrowd.Error())
	errSubject  = refused("introspection: the endpoint says that the token is somebody else's")
	errScheme   = claims.NewError(claims.ErrInvalidToken, claims.ReasonBinding, errors.New(
		"introspection: the token must be presented under the scheme of its token_type"))
	errNotMade = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, errors.New(
		"introspection: an Introspector was not made by New"))
)

func refused(cause string) *claims.Error {
	return claims.NewError(claims.ErrInvalidToken, claims.ReasonRejected, errors.New(cause))
}

// Authenticate returns who presents a token, as the endpoint says.
func (in *Introspector) Authenticate(
	ctx context.Context, c claims.Credentials,
) (*claims.Claims, error) {
	if !in.isMade() {
		return nil, errNotMade
	}
	if err := in.examiner.Takes(c.Scheme); err != nil {
		return nil, err
	}
	switch ok, err := in.isOfForm(c.Token); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errForm
	case len(c.Token) > in.maxSize:
		return nil, errTooLarge
	}
	found, err := in.lookUp(ctx, c.Token)
	if err != nil {
		return nil, err
	}
	if found.scheme != "" && !strings.EqualFold(found.scheme, c.Scheme) {
		return nil, errScheme
	}
	if err := in.examiner.Admit(ctx, found.caller, c); err != nil {
		return nil, err
	}
	own := *found.caller // each request has its own
	return &own, nil
}

// Recheck asks whether the token of a request that lasts is still active, and
// means what it did.
func (in *Introspector) Recheck(ctx context.Context, caller *claims.Claims) error {
	if !in.isMade() {
		return errNotMade
	}
	token := presented.Token(ctx)
	if token == "" || caller.Issuer() != in.issuer {
		return nil
	}
	if ok, err := in.isOfForm(token); err != nil || !ok {
		return err
	}
	found, err := in.lookUp(ctx, token)
	if err != nil {
		return err
	}
	return in.examiner.Recheck(ctx, caller, found.caller)
}

// isOfForm reports whether a token is one that the endpoint may be asked about.
func (in *Introspector) isOfForm(token string) (ok bool, err error) {
	if !isToken68(token) {
		return false, nil
	}
	err = foreign.Call(foreign.Name("introspection: Config.Recognizes"), func() error {
		ok = in.recognizes(token)
		return nil
	})
	if err != nil {
		err = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, err)
	}
	return ok, err
}

// lookUp returns what the endpoint says, or said lately. The error is a
// refusal.
func (in *Introspector) lookUp(ctx context.Context, token string) (active, error) {
	found, _, err := in.desk.Ask(ctx, token)
	if err == nil {
		return found, nil
	}
	if err == inquiry.ErrCrowd {
		return active{}, errCrowd
	}
	if failure := (*inquiry.Failure)(nil); errors.As(err, &failure) {
		reason := claims.ReasonUndecided
		if ctx.Err() != nil {
			reason = claims.ReasonCanceled
		}
		return active{}, claims.NewError(claims.ErrUnavailable, reason, failure.Cause)
	}
	return active{}, err
}

func (in *Introspector) ask(
	ctx context.Context, token string,
) (answer inquiry.Answer[active], err error) {
	object, err := in.endpoint.ask(ctx, token)
	var found active
	if err == nil {
		found, err = in.read(ctx, object)
	}
	if err != nil {
		refusal := (*claims.Error)(nil)
		if !errors.As(err, &refusal) || errors.Is(refusal, claims.ErrUnavailable) {
			return answer, err
		}
		answer.Err, answer.For = refusal, min(inactiveAge, in.maxAge)
		return answer, nil
	}
	answer.Value, answer.For = found, in.maxAge
	if until := found.caller.ValidUntil(); !until.IsZero() {
		answer.For = min(answer.For, time.Until(until))
	}
	answer.Size = 2*len(object) + 500
	return answer, nil
}

func (in *Introspector) isMade() bool { return in != nil && in.examiner != nil }

// isToken68 reports whether s is a token68 (RFC 9110 section 11.2).
func isToken68(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') &&
			strings.IndexByte("-._~+/", c) < 0 {
			return false
		}
	}
	return s != ""
}

// isJWT reports whether a token looks like a signed one: three segments, the
// first of which begins as a JSON object does.
func isJWT(token string) bool {
	return strings.HasPrefix(token, "eyJ") && strings.Count(token, ".") == 2
}

// AuthorizationServers returns the issuer of the tokens that the endpoint
// knows, none if Config.Accept does not name it: see
// [claims.AuthorizationServers].
func (in *Introspector) AuthorizationServers() []string {
	if in == nil || in.issuer == "" {
		return nil
	}
	return []string{in.issuer}
}
