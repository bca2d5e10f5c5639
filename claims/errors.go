package claims

import (
	"errors"
	"fmt"
	"time"
)

// The six outcomes of a check that does not pass. Every refusal is an [*Error]
// that matches one of them with [errors.Is]; the fifth outcome, not permitted,
// has two sentinels.
var (
	// ErrNoToken means that the request carries no credentials of a kind that
	// is understood: 401 with a bare challenge (RFC 6750 section 3.1).
	ErrNoToken = errors.New("claims: no token")

	// ErrInvalidRequest means that the credentials are not well-formed, or
	// there are several: 400 (RFC 6750 section 3.1).
	ErrInvalidRequest = errors.New("claims: invalid request")

	// ErrInvalidToken means that the token is malformed, expired, meant for
	// somebody else, or not signed by its issuer: 401 (RFC 6750 section 3.1).
	ErrInvalidToken = errors.New("claims: invalid token")

	// ErrInsufficientAuthentication means that the token is good and its user
	// authenticated too weakly or too long ago: 401 (RFC 9470 section 3).
	ErrInsufficientAuthentication = errors.New("claims: insufficient authentication")

	// ErrInsufficientScope means that the token is good and lacks a scope that
	// the operation needs: 403 (RFC 6750 section 3.1). Another token may help.
	ErrInsufficientScope = errors.New("claims: insufficient scope")

	// ErrForbidden means that the caller may not do this, whatever the scope of
	// the token: 403.
	ErrForbidden = errors.New("claims: forbidden")

	// ErrUnavailable means that it cannot be decided now, for a reason that is
	// not the caller's: 503. Nothing that a caller sends leads to it.
	ErrUnavailable = errors.New("claims: unavailable")
)

// Error is a refusal: one of the six outcomes, with a reason. It is immutable.
type Error struct {
	class      error
	reason     Reason
	scope      string
	acr        string
	maxAge     time.Duration
	retryAfter time.Duration
	cause      error
	issuer     string // trusted, as a Config names it, that the token says it is of
	second     string // the name of the credential, empty if it is the first
	scheme     string // that the request used, empty for Bearer
}

// Refusals without particulars, made once: to refuse costs no allocation.
var (
	errNoToken           = &Error{class: ErrNoToken, reason: ReasonNoToken}
	errUnsupportedScheme = &Error{
		class: ErrNoToken, reason: ReasonUnsupportedScheme, cause: ErrUnrecognized,
	}
	errMalformedCredentials = &Error{class: ErrInvalidRequest, reason: ReasonMalformedCredentials}
	errTooLarge             = invalidToken(ReasonTooLarge)
	errMalformed            = invalidToken(ReasonMalformed)
	errNotJWS               = malformedAs(ErrUnrecognized,
		"not three segments with dots between them")
	errEncrypted = &Error{
		class: ErrInvalidToken, reason: ReasonEncrypted, cause: ErrUnrecognized,
	}
	errOtherAlgorithm = &Error{
		class: ErrInvalidToken, reason: ReasonAlgorithm, cause: ErrUnrecognized,
	}
	errAlgorithm = invalidToken(ReasonAlgorithm)
	errCritical  = because(ReasonCritical,
		"the header has \"crit\", and no extension is understood")
	errUnencoded = because(ReasonCritical,
		"\"b64\" in the header says that the payload is unencoded")
	errType   = invalidToken(ReasonType)
	errNested = because(ReasonType,
		"\"cty\" in the header says that there is a token within the token")
	errIssuer      = invalidToken(ReasonIssuer)
	errExpired     = invalidToken(ReasonExpired)
	errNotYetValid = invalidToken(ReasonNotYetValid)
	errTooOld      = invalidToken(ReasonTooOld)
	errLifetime    = invalidToken(ReasonLifetime)
	errAudience    = invalidToken(ReasonAudience)
	errClient      = invalidToken(ReasonClient)
	errUnknownKey  = invalidToken(ReasonUnknownKey)
	errSignature   = invalidToken(ReasonSignature)
	errSuperseded  = NewError(ErrInvalidToken, ReasonIssuer, errors.New(
		"claims: by the Config that the issuer is trusted by now, the claims mean something else"))
	errKeyGone = NewError(ErrInvalidToken, ReasonUnknownKey, errors.New(
		"claims: the key that signed the token is gone"))
	errNotMade = NewError(ErrUnavailable, ReasonUndecided, errors.New(
		"claims: an Authenticator was not made by its constructor"))
	errPermission = &Error{class: ErrForbidden, reason: ReasonPermission}
)

// errForgetToken says that a remembered token must be verified in full. It is
// no refusal and leaves the pipeline nowhere.
var errForgetToken = errors.New("claims: token to be forgotten")

func invalidToken(reason Reason) *Error {
	return &Error{class: ErrInvalidToken, reason: reason}
}

func because(reason Reason, cause string) *Error {
	return NewError(ErrInvalidToken, reason, errors.New("claims: "+cause))
}

// NewError returns a refusal of the given class, one of the sentinels of this
// package, for the given reason. It is for implementations of [Authenticator]
// and for transports. The cause, which may be nil, is for operators alone: no
// client is shown it. A class that is none of the sentinels is taken as
// [ErrInvalidToken].
func NewError(class error, reason Reason, cause error) *Error {
	class, ok := classOf(class)
	if !ok {
		class = ErrInvalidToken
	}
	return &Error{class: class, reason: reason, cause: cause}
}

// AsError returns the refusal in err, which must not be nil. An error that is
// none but matches one of the sentinels becomes a refusal of that class. Any
// other error becomes [ErrInvalidToken], because an Authenticator whose errors
// are not classified must not let a caller's token choose [ErrUnavailable].
func AsError(err error) *Error {
	if e, _ := err.(*Error); e != nil { // without what the next lines allocate
		return e
	}
	var e *Error
	if errors.As(err, &e) && e != nil {
		return e
	}
	class, ok := classOf(err)
	if !ok {
		class = ErrInvalidToken
	}
	return &Error{class: class, reason: defaultReason(class), cause: err}
}

// classOf returns the sentinel that err matches, if any.
func classOf(err error) (class error, ok bool) {
	for _, class := range []error{
		ErrNoToken, ErrInvalidRequest, ErrInvalidToken, ErrInsufficientAuthentication,
		ErrInsufficientScope, ErrForbidden, ErrUnavailable,
	} {
		if errors.Is(err, class) {
			return class, true
		}
	}
	return nil, false
}

func defaultReason(class error) Reason {
	switch class {
	case ErrNoToken:
		return ReasonNoToken
	case ErrInvalidRequest:
		return ReasonMalformedCredentials
	case ErrInsufficientAuthentication:
		return ReasonAuthentication
	case ErrInsufficientScope:
		return ReasonScope
	case ErrForbidden:
		return ReasonPermission
	case ErrUnavailable:
		return ReasonUndecided
	}
	return ReasonRejected
}

// Error returns the class and the reason. It never has the token, and not the
// cause, which [errors.Unwrap] gives.
func (e *Error) Error() string { return e.class.Error() + " (" + string(e.reason) + ")" }

// textOfSecond is the text where there is no Authorization field to speak of.
func (e *Error) textOfSecond() string {
	switch e.reason {
	case ReasonMalformedCredentials:
		return "This credential is malformed."
	case ReasonSeveralCredentials:
		return "The request has more than one credential of this kind."
	}
	of := *e
	of.second = ""
	return of.Text()
}

// Is reports whether target is the class of e.
func (e *Error) Is(target error) bool { return e != nil && target == e.class }

// Unwrap returns the cause, nil if there is none beyond the reason.
func (e *Error) Unwrap() error {
	if e == nil { // an Authenticator may return a nil *Error for an error
		return nil
	}
	return e.cause
}

// Class returns the sentinel that e matches.
func (e *Error) Class() error { return e.class }

// Reason returns which check refused.
func (e *Error) Reason() Reason { return e.reason }

// Text returns a sentence for the client. It is one fixed text for each reason
// and says nothing of the token's content or of the server.
// Of a second credential it begins with the name of that.
func (e *Error) Text() string {
	if e.second != "" {
		return e.second + ": " + e.textOfSecond()
	}
	if text, ok := texts[e.reason]; ok {
		return text
	}
	return texts[defaultReason(e.class)]
}

// Second returns the name of the [Second] credential that the refusal is about,
// empty if it is about the first, or about the request as a whole.
func (e *Error) Second() string { return e.second }

// Scope returns the scope that the operation needs, space-separated, if the
// class is [ErrNoToken], [ErrInsufficientScope] or
// [ErrInsufficientAuthentication]; otherwise, and where it needs none, it is
// empty.
func (e *Error) Scope() string { return e.scope }

// ACRValues returns the accepted authentication contexts, space-separated; any
// one will do. It is empty unless [ErrInsufficientAuthentication] is the class
// and the operation asks for one (RFC 9470 section 3, "acr_values").
func (e *Error) ACRValues() string { return e.acr }

// MaxAge returns how long ago the user may have authenticated for the
// operation, in whole seconds, if [ErrInsufficientAuthentication] is the class;
// otherwise, and where that does not matter, it is zero (RFC 9470 section 3,
// "max_age").
func (e *Error) MaxAge() time.Duration { return e.maxAge }

// Scheme returns the authentication scheme that the request used, as it was
// written, if that is another than Bearer: the scheme whose challenge says what
// was wrong. It is empty for Bearer, and where there is none.
func (e *Error) Scheme() string { return e.scheme }

// under returns e as the refusal of a request that used an authentication
// scheme.
func (e *Error) under(scheme string) *Error {
	if scheme == "" || e.scheme != "" {
		return e
	}
	used := *e
	used.scheme = scheme
	return &used
}

// because returns e with the reason and the cause of another refusal.
func (e *Error) because(other *Error) *Error {
	reasoned := *e
	reasoned.reason, reasoned.cause = other.reason, other.cause
	return &reasoned
}

// RetryAfter returns when it is worth trying again if [ErrUnavailable] is the
// class; otherwise, and where that is not known, it is zero.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// textBehind returns the text of what is behind a refusal, which its own keeps
// from clients.
func textBehind(refusal *Error) string {
	if refusal.cause == nil {
		return refusal.Error()
	}
	return refusal.cause.Error()
}

// plainRefusal is a refusal with a text for operators.
type plainRefusal struct {
	refusal *Error
	text    string
}

func (r *plainRefusal) Error() string { return r.text }
func (r *plainRefusal) Unwrap() error { return r.refusal }

// ErrUnrecognized is what the error of an [Authenticator] matches, beside the
// class of its refusal, if the token has a form that it does not know:
// [FirstOf] asks the next one then.
var ErrUnrecognized = errors.New("claims: token of another form")

func malformed(cause string) *Error { return malformedAs(nil, cause) }

func malformedAs(also error, cause string) *Error {
	e := &Error{
		class: ErrInvalidToken, reason: ReasonMalformed, cause: errors.New("claims: " + cause),
	}
	if also != nil {
		e.cause = fmt.Errorf("claims: %s: %w", cause, also)
	}
	return e
}
