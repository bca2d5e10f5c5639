package introspection

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

var (
	errAnswer   = errors.New("introspection: the answer is not a JSON object with \"active\"")
	errInactive = refused("introspection: the endpoint says that the token is not active")
)

// activeObject returns an answer that says that the token is active (RFC 7662
// section 2.2). The error is a refusal if it says that it is not.
func activeObject(body []byte) ([]byte, error) {
	text := string(body)
	var seen strict.Members
	said := ""
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(&seen)
		if value := r.ReadRaw(); name == "active" {
			said = value
		}
	}
	switch {
	case !r.End():
		return nil, errAnswer
	case said == "true":
		return body, nil
	case said == "false":
		return nil, errInactive
	}
	return nil, errAnswer
}

// kinds are the values that an access token has of members that say what kind
// of token it is, such as Hydra's and Keycloak's. An endpoint answers about
// refresh tokens, too, and those open nothing.
var kinds = []struct {
	member string
	access []string
}{
	{"token_use", []string{"access", "access_token"}},
	{"typ", []string{"bearer", "dpop", "at+jwt", "jwt", "application/at+jwt"}},
}

var errKind = claims.NewError(claims.ErrInvalidToken, claims.ReasonType, errors.New(
	"introspection: token_use, typ or token_type says that it is no access token"))

// read returns the caller that the claims of an active token are of, if they
// are accepted. The error is a refusal.
func (in *Introspector) read(ctx context.Context, object []byte) (found active, err error) {
	if in.audience != "" {
		object = withAudience(object, in.audience)
	}
	caller, err := in.examiner.Examine(ctx, object)
	if err != nil {
		return found, err
	}
	var members map[string]any // by their exact names
	if err := caller.Decode(&members); err != nil {
		return found, errKind
	}
	for _, kind := range kinds {
		if value, ok := members[kind.member]; ok && !isOneOf(value, kind.access) {
			return found, errKind
		}
	}
	found = active{caller: caller}
	switch value, ok := members["token_type"]; {
	case !ok || isOneOf(value, bearerTypes):
	default:
		scheme, _ := value.(string)
		if in.examiner.Takes(scheme) != nil {
			return active{}, errKind
		}
		found.scheme = scheme // such as DPoP, under which it must come
	}
	return found, nil
}

// withAudience returns an answer with "aud" if it has none.
func withAudience(object []byte, audience string) []byte {
	var members map[string]json.RawMessage // by their exact names
	if err := json.Unmarshal(object, &members); err != nil {
		return object
	}
	if _, ok := members["aud"]; ok {
		return object
	}
	value, err := json.Marshal(audience)
	if err != nil {
		return object
	}
	start := bytes.IndexByte(object, '{') + 1
	return slices.Concat(object[:start], []byte(`"aud":`), value, []byte(","), object[start:])
}

// bearerTypes are the values of token_type that say nothing of how a token is
// presented, the last by RFC 8693 section 3.
var bearerTypes = []string{
	"bearer", "access_token", "urn:ietf:params:oauth:token-type:access_token",
}

// isOneOf reports whether a value is one of a list, whatever its case.
func isOneOf(value any, list []string) bool {
	text, ok := value.(string)
	return ok && slices.ContainsFunc(list, func(one string) bool {
		return strings.EqualFold(text, one)
	})
}
