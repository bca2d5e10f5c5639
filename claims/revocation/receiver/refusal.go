package receiver

import (
	"fmt"

	"github.com/sallyport-go/sallyport/claims"
)

// refusal is why news is not taken. Its reason is one of a few fixed words, for
// metrics and logs; its cause is for operators, and never part of an answer.
type refusal struct {
	reason
	cause error
}

// reason is a reason with what each specification's answer says of it.
type reason struct {
	name string
	// text is what the sender is told, err the code of RFC 8935 section 2.4.
	text, err string
}

var (
	reasonRequest     = reason{"request", "the request is not as it should be", "invalid_request"}
	reasonMalformed   = reason{"malformed", "the token cannot be read", "invalid_request"}
	reasonType        = reason{"type", "the token is of another type", "invalid_request"}
	reasonIssuer      = reason{"issuer", "the issuer is not known here", "invalid_issuer"}
	reasonAudience    = reason{"audience", "the token is not for this service", "invalid_audience"}
	reasonAlgorithm   = reason{"algorithm", "the algorithm is not accepted", "invalid_key"}
	reasonSignature   = reason{"signature", "the signature does not verify", "invalid_key"}
	reasonTime        = reason{"time", "the token is too old, or not valid yet", "invalid_request"}
	reasonClaims      = reason{"claims", "a claim is missing or one too many", "invalid_request"}
	reasonSubject     = reason{"subject", "the subject is not understood", "invalid_request"}
	reasonState       = reason{"state", "the state is not the one expected", "invalid_state"}
	reasonDenied      = reason{"denied", "the sender has no say in this subject", "access_denied"}
	reasonSender      = reason{"sender", "the sender is not authenticated", "authentication_failed"}
	reasonRepeated    = reason{"repeated", "the token was received before", "invalid_request"}
	reasonUnavailable = reason{"unavailable", "it cannot be decided now", ""}
)

func refuse(r reason, cause error) *refusal { return &refusal{r, cause} }

// Error says what was refused and why, for operators.
func (r *refusal) Error() string { return fmt.Sprintf("receiver: %s: %v", r.text, r.cause) }

// Unwrap returns the cause.
func (r *refusal) Unwrap() error { return r.cause }

// Is makes what cannot be decided match [claims.ErrUnavailable].
func (r *refusal) Is(target error) bool {
	return r.name == reasonUnavailable.name && target == claims.ErrUnavailable
}
