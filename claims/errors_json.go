package claims

import (
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// faultTexts are the refusals of a segment of a token by what is wrong with its
// JSON.
type faultTexts struct {
	byFault [strict.TooLong + 1]*Error
	bom     *Error
}

// textFaults returns the refusals of a segment, which match another error as
// well unless that is nil.
func textFaults(segment string, also error) (t faultTexts) {
	refusal := func(format string, args ...any) *Error {
		return malformedAs(also, "the "+segment+" "+fmt.Sprintf(format, args...))
	}
	t.bom = refusal("begins with a byte order mark")
	t.byFault = [...]*Error{
		strict.Sound:   refusal("is not one JSON object and nothing else"),
		strict.Syntax:  refusal("is not a JSON object"),
		strict.NotUTF8: refusal("has text that is not UTF-8"),
		strict.Twice:   refusal("has a member's name twice in one object"),
		strict.TooDeep: refusal("is nested more than %d deep", strict.MaxDepth),
		strict.TooMany: refusal("has more than %d members", strict.MaxMembers),
		strict.TooLong: refusal("has more than %d scopes or audiences", maxListed),
	}
	return t
}

// of returns the refusal of a text that a reader refuses.
func (t *faultTexts) of(text string, r *strict.Reader) *Error {
	if strings.HasPrefix(text, "\ufeff") {
		return t.bom
	}
	return t.byFault[r.Fault()]
}

// maxListed is how many scopes, and how many audiences.
const maxListed = 1024
