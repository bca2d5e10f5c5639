package claims

// Reason says which check refused, in one stable word: a metric label, a log
// field.
type Reason string

// The reasons, by outcome.
const (
	// Of [ErrNoToken].
	ReasonNoToken           Reason = "no_token"
	ReasonUnsupportedScheme Reason = "unsupported_scheme"

	// Of [ErrInvalidRequest].
	ReasonMalformedCredentials Reason = "malformed_credentials"
	ReasonSeveralCredentials   Reason = "several_credentials"

	// Of [ErrInvalidToken].
	ReasonTooLarge    Reason = "too_large"
	ReasonMalformed   Reason = "malformed"
	ReasonEncrypted   Reason = "encrypted"
	ReasonAlgorithm   Reason = "algorithm"
	ReasonCritical    Reason = "critical"
	ReasonType        Reason = "type"
	ReasonIssuer      Reason = "issuer"
	ReasonExpired     Reason = "expired"
	ReasonNotYetValid Reason = "not_yet_valid"
	ReasonTooOld      Reason = "too_old"
	ReasonLifetime    Reason = "lifetime"
	ReasonAudience    Reason = "audience"
	ReasonClaims      Reason = "claims"
	ReasonUnknownKey  Reason = "unknown_key"
	ReasonSignature   Reason = "signature"
	ReasonBinding     Reason = "binding"
	ReasonProof       Reason = "proof"
	ReasonProofTarget Reason = "proof_target"
	ReasonProofTime   Reason = "proof_time"
	ReasonProofUsed   Reason = "proof_used"
	ReasonNonce       Reason = "nonce"
	ReasonClient      Reason = "client"
	ReasonRejected    Reason = "rejected"
	// ReasonRevoked means that the token has ended before it expires, by what
	// [Revocations] knows.
	ReasonRevoked Reason = "revoked"

	// Of [ErrInsufficientAuthentication].
	ReasonAuthentication Reason = "authentication"

	// Of [ErrInsufficientScope].
	ReasonScope Reason = "scope"

	// Of [ErrForbidden].
	ReasonPermission Reason = "permission"
	ReasonUnlisted   Reason = "unlisted_operation"
	// ReasonCrossOrigin means that a page of another origin has a browser send
	// the request, with a credential that the browser adds by itself.
	ReasonCrossOrigin Reason = "cross_origin"

	// Of [ErrUnavailable].
	ReasonKeysUnavailable Reason = "keys_unavailable"
	ReasonUndecided       Reason = "undecided"
	ReasonIssuerUndecided Reason = "issuer_undecided"
	// ReasonStale means that what is known is older than the operation may act
	// on, by [FreshWithin].
	ReasonStale Reason = "stale"
	// ReasonCanceled means that the sender of the request went away, or their
	// deadline passed, before it was decided: nobody's fault.
	ReasonCanceled Reason = "canceled"

	// Of [ErrUnavailable], by a [PermissionSource].
	ReasonPermissionsUnavailable Reason = "permissions_unavailable"
)

// reasons are all of them, each with its class and with what a client is told.
// The texts never depend on the token or on the state of the server, and are
// free of the characters that an error_description must not have (RFC 6750
// section 3).
var reasons = []struct {
	class  error
	reason Reason
	text   string
}{
	{ErrNoToken, ReasonNoToken, "This operation needs an access token."},
	{ErrNoToken, ReasonUnsupportedScheme, "This operation needs an access token of another scheme."},
	{ErrInvalidRequest, ReasonMalformedCredentials, "The credentials of the request are malformed."},
	{ErrInvalidRequest, ReasonSeveralCredentials, "The request has more than one access token."},
	{ErrInvalidToken, ReasonTooLarge, "The access token is too large."},
	{ErrInvalidToken, ReasonMalformed, "The access token is malformed."},
	{ErrInvalidToken, ReasonEncrypted, "The access token is encrypted, which is not supported here."},
	{ErrInvalidToken, ReasonAlgorithm, "The signature algorithm of the access token is not accepted."},
	{ErrInvalidToken, ReasonCritical, "The access token has header parameters that are not supported."},
	{ErrInvalidToken, ReasonType, "This type of token is not accepted as an access token."},
	{ErrInvalidToken, ReasonIssuer, "The issuer of the access token is not trusted here."},
	{ErrInvalidToken, ReasonExpired, "The access token has expired."},
	{ErrInvalidToken, ReasonNotYetValid, "The access token is not valid yet."},
	{ErrInvalidToken, ReasonTooOld, "The access token was issued too long ago."},
	{ErrInvalidToken, ReasonLifetime, "The access token is valid for longer than is accepted here."},
	{ErrInvalidToken, ReasonAudience, "The access token is for another audience."},
	{ErrInvalidToken, ReasonClaims, "The access token lacks a claim that is needed here."},
	{ErrInvalidToken, ReasonUnknownKey, "The access token is signed with an unknown key."},
	{ErrInvalidToken, ReasonSignature, "The signature of the access token is wrong."},
	{ErrInvalidToken, ReasonBinding, "The access token is bound to a key that is not proven here."},
	{ErrInvalidToken, ReasonProof, "The DPoP proof is missing or not as it must be."},
	{ErrInvalidToken, ReasonProofTarget, "The DPoP proof is for another request: check htm and htu."},
	{ErrInvalidToken, ReasonProofTime, "The DPoP proof was not made now: check iat and the clock."},
	{ErrInvalidToken, ReasonProofUsed, "The DPoP proof was used before."},
	{ErrInvalidToken, ReasonNonce, "The DPoP proof must have the nonce of the field DPoP-Nonce."},
	{ErrInvalidToken, ReasonClient, "The access token was issued to a client that is not accepted here."},
	{ErrInvalidToken, ReasonRejected, "The access token is not accepted."},
	{ErrInvalidToken, ReasonRevoked, "The access token has been revoked."},
	{ErrInsufficientAuthentication, ReasonAuthentication, "This operation needs a stronger or more recent authentication."},
	{ErrInsufficientScope, ReasonScope, "The access token lacks a scope that this operation needs."},
	{ErrForbidden, ReasonPermission, "The caller is not permitted to do this."},
	{ErrForbidden, ReasonUnlisted, "This operation is not open to callers."},
	{ErrForbidden, ReasonCrossOrigin, "The request comes from a page of another origin."},
	{ErrUnavailable, ReasonKeysUnavailable, "The access token cannot be checked at the moment."},
	{ErrUnavailable, ReasonUndecided, "The permission cannot be decided at the moment."},
	{ErrUnavailable, ReasonPermissionsUnavailable, "The permissions of the caller cannot be had at the moment."},
	{ErrUnavailable, ReasonCanceled, "The request ended before it was decided."},
	{ErrUnavailable, ReasonIssuerUndecided, "The issuer of the access token cannot be checked at the moment."},
	{ErrUnavailable, ReasonStale, "What is known is too old for this operation at the moment."},
}

var texts = func() map[Reason]string {
	texts := make(map[Reason]string, len(reasons))
	for _, r := range reasons {
		texts[r.reason] = r.text
	}
	return texts
}()

// Refusals returns a refusal for each reason: for transports, which can prepare
// their answers, and for tests.
func Refusals() []*Error {
	refusals := make([]*Error, len(reasons))
	for i, r := range reasons {
		refusals[i] = &Error{class: r.class, reason: r.reason}
	}
	return refusals
}
