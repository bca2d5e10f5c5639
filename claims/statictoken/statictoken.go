package statictoken

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/presented"
)

const (
	defaultRefresh = 5 * time.Second
	maxRefresh     = 15 * time.Second
	defaultIssuer  = "static-tokens"
)

// Config says where tokens lie and what they mean.
type Config struct {
	// File is the path of the file that has them. It need not be there yet.
	// Either File or Source is required.
	File string

	// Source looks tokens up elsewhere, such as in a database, in the place of
	// File.
	Source Source

	// Key is what the tokens of Source were minted with. Required beside
	// Source, and not allowed beside File, which has a key itself.
	Key Key

	// Prefix is what tokens begin with, before the underscore: one for each
	// kind of token, so that whoever finds one knows whose it is. Empty means
	// "sallyport"; of a-z, 0-9 and "_", up to 32.
	Prefix string

	// Issuer is what [claims.Claims.Issuer] returns of callers: together with
	// it a subject is unique, so it must be no other issuer's. Empty means
	// "static-tokens".
	Issuer string

	// ScopeMap says which further scopes a scope implies, and PermissionMap
	// what the permissions of a token stand for, as in [claims.Config]. Nil
	// means nothing, and that they stand for themselves.
	ScopeMap      map[string][]string
	PermissionMap map[string][]string

	// Refresh is how long what the File or the Source has said counts: a token
	// that is taken away there is refused after that time at the latest, and
	// streams that are open end with it. Zero means 5 seconds; at most 15.
	Refresh time.Duration

	// MaxTokens is how many tokens of the Source are remembered, for Refresh.
	// Zero means 10,000; at most a million. A file may have 100,000.
	MaxTokens int

	// Logger is told of a File that is broken, and when it is good again. Nil
	// means [slog.Default].
	Logger *slog.Logger
}

// Tokens are an [claims.Authenticator] for static tokens. It recognises tokens
// by their prefix, so that [claims.FirstOf] can have it first. It is immutable
// and safe for concurrent use. [New] makes one; a zero Tokens cannot decide.
type Tokens struct {
	prefix   string
	issuer   string
	examiner *claims.Examiner
	file     *file // or source
	source   *source
}

var _ claims.Authenticator = (*Tokens)(nil)

// New returns Tokens. It does no I/O. The error reports everything that is
// wrong with cfg.
func New(cfg Config) (*Tokens, error) {
	errs := cfg.validate()
	cfg.Prefix = cmp.Or(cfg.Prefix, defaultPrefix)
	cfg.Issuer = cmp.Or(cfg.Issuer, defaultIssuer)
	cfg.Refresh = cmp.Or(cfg.Refresh, defaultRefresh)
	examiner, err := claims.NewExaminer(claims.Config{
		Issuer: cfg.Issuer, InsecureSkipAudience: true, // a file is for one service
		Leeway: -1, ScopeMap: cfg.ScopeMap,
		PermissionClaims: []string{permissionClaim}, PermissionMap: cfg.PermissionMap,
	})
	if err != nil {
		errs = append(errs, fmt.Errorf("statictoken: New: %w", err))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	as := &meaning{cfg.Issuer, examiner}
	t := &Tokens{prefix: cfg.Prefix, issuer: cfg.Issuer, examiner: examiner}
	if cfg.Source != nil {
		t.source = newSource(cfg, as)
	} else {
		t.file = newFile(cfg, as)
	}
	return t, nil
}

func (cfg Config) validate() []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("statictoken: New: Config."+format, args...))
	}
	switch {
	case cfg.Source == nil && cfg.File == "":
		report("File is required, or Source")
	case cfg.Source != nil && cfg.File != "":
		report("Source takes the place of File, and both are set")
	case isNil(cfg.Source):
		report("Source is a nil %T", cfg.Source)
	case cfg.Source != nil && cfg.Key == Key{}:
		report("Key is required beside Source")
	case cfg.File != "" && cfg.Key != Key{}:
		report("Key is set beside File, which has its own")
	}
	if cfg.Prefix != "" {
		if err := checkPrefix(cfg.Prefix); err != nil {
			report("Prefix of %q %w", cfg.Prefix, err)
		}
	}
	if cfg.Refresh < 0 || cfg.Refresh > maxRefresh {
		report("Refresh of %s is not between 0 and %s", cfg.Refresh, maxRefresh)
	}
	if cfg.MaxTokens < 0 || cfg.MaxTokens > 1_000_000 {
		report("MaxTokens of %d is not between 0 and 1000000", cfg.MaxTokens)
	}
	return errs
}

// isNil reports whether an interface has a nil pointer in it.
func isNil(s Source) bool {
	v := reflect.ValueOf(s)
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Chan, reflect.Slice:
		return v.IsNil()
	}
	return false
}

// Refusals without particulars, made once.
var (
	errForm = claims.NewError(claims.ErrInvalidToken, claims.ReasonMalformed, fmt.Errorf(
		"statictoken: the token has another prefix: %w", claims.ErrUnrecognized))
	refusedMistyped  = claims.NewError(claims.ErrInvalidToken, claims.ReasonMalformed, errMistyped)
	refusedNotMinted = refusal(errNotMinted.Error())
	errExpired       = claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)
	errUnknown       = refusal("statictoken: the token is not known, or not any more")
	errNetwork       = refusal("statictoken: the token may not be used from where the request came")
	errNotMade       = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, errors.New(
		"statictoken: Tokens were not made by New"))
)

func refusal(cause string) *claims.Error {
	return claims.NewError(claims.ErrInvalidToken, claims.ReasonRejected, errors.New(cause))
}

// Authenticate returns who presents a token. It is refused for its form, its
// checksum and its tag before it is looked up; then if it is not known, has
// expired, or may not be used from where the request came.
func (t *Tokens) Authenticate(
	ctx context.Context, c claims.Credentials,
) (*claims.Claims, error) {
	if !t.isMade() {
		return nil, errNotMade
	}
	if err := t.examiner.Takes(c.Scheme); err != nil {
		return nil, err
	}
	if !isOfForm(c.Token, t.prefix) {
		return nil, errForm
	}
	e, err := t.find(ctx, c.Token)
	if err != nil {
		return nil, err
	}
	if err := t.examiner.Admit(ctx, e.caller, c); err != nil {
		return nil, err
	}
	if len(e.networks) > 0 && (c.Proof == nil || !e.mayUse(c.Proof.Prove(ctx).Peer)) {
		return nil, errNetwork
	}
	own := *e.caller // each request has its own
	return &own, nil
}

// Recheck asks whether the token of a request that lasts still counts, and
// means what it did.
func (t *Tokens) Recheck(ctx context.Context, caller *claims.Claims) error {
	if !t.isMade() {
		return errNotMade
	}
	token := presented.Token(ctx)
	if caller.Issuer() != t.issuer || !isOfForm(token, t.prefix) {
		return nil
	}
	e, err := t.find(ctx, token)
	if err != nil {
		return err
	}
	return t.examiner.Recheck(ctx, caller, e.caller)
}

// find returns the entry of a token. The error is a refusal.
func (t *Tokens) find(ctx context.Context, token string) (*entry, error) {
	if err := checkForm(token, t.prefix); err != nil {
		return nil, refusedMistyped
	}
	e, err := t.lookUp(ctx, token)
	if err == nil && e.caller == nil {
		return nil, errExpired
	}
	return e, err
}

func (t *Tokens) lookUp(ctx context.Context, token string) (*entry, error) {
	if t.source != nil {
		return t.source.find(ctx, token, t.prefix)
	}
	table, err := t.file.current(ctx)
	if err != nil {
		return nil, undecided(ctx, err)
	}
	h, err := open(&table.key, token, t.prefix)
	if err != nil {
		return nil, refusedNotMinted
	}
	if e := table.find(h); e != nil {
		return e, nil
	}
	return nil, errUnknown
}

// undecided is the refusal where it cannot be told.
func undecided(ctx context.Context, err error) error {
	reason := claims.ReasonUndecided
	if ctx.Err() != nil {
		reason = claims.ReasonCanceled
	}
	return claims.NewError(claims.ErrUnavailable, reason, err)
}

// Ready returns nil if the File has been read, reading it if need be, or else
// why not: it is for readiness probes, and for a program that is not to start
// without. Of a Source it returns nil.
func (t *Tokens) Ready(ctx context.Context) error {
	if !t.isMade() {
		return errNotMade
	}
	if t.file == nil {
		return nil
	}
	if _, err := t.file.current(ctx); err != nil {
		return undecided(ctx, fmt.Errorf("statictoken: %w", err))
	}
	return nil
}

func (t *Tokens) isMade() bool { return t != nil && t.examiner != nil }

// AuthorizationServers returns none: nobody can ask for such a token. See
// [claims.AuthorizationServers].
func (t *Tokens) AuthorizationServers() []string { return nil }
