package claims

import (
	"errors"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// maxLogged is how long the cause of a refusal may be in a log.
const maxLogged = 500

var (
	// Three segments, of which the first begins as that of a JSON object does.
	// The last may be cut off.
	likeToken = regexp.MustCompile(`eyJ[A-Za-z0-9_=-]{5,}\.[A-Za-z0-9_=-]*(\.[A-Za-z0-9_=-]*)*`)
	likeUser  = regexp.MustCompile(`://[^/?#\s"]*@`)
	likeField = regexp.MustCompile(`(?i)\b(bearer|dpop|basic)\s+[A-Za-z0-9._~+/=-]{8,}`)
)

// loggedCause returns the cause of a refusal as it is logged: on one line, of
// bounded length, without what opens a door.
func loggedCause(e *Error) string {
	if e.cause == nil {
		return ""
	}
	text := whole(e.cause)
	const looked = 4 * maxLogged // more is not worth the while
	if len(text) > looked {
		text = text[:looked]
	}
	text = likeToken.ReplaceAllString(text, "[token]")
	text = likeField.ReplaceAllString(text, "$1 [redacted]")
	text = likeUser.ReplaceAllString(text, "://[redacted]@")
	text = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\r' || c == '\t':
			return ' '
		case c == utf8.RuneError || !unicode.IsPrint(c):
			return '?'
		}
		return c
	}, text)
	if len(text) <= maxLogged {
		return text
	}
	end := maxLogged - len("...")
	for !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

// whole returns the text of an error with the causes of the refusals in it,
// which their texts leave out, and of a panic no more than where it was.
func whole(err error) string {
	text := err.Error()
	var panicked *foreign.PanicError
	if errors.As(err, &panicked) {
		return strings.Replace(text, panicked.Error(), panicked.Brief(), 1)
	}
	var refusal *Error
	if errors.As(err, &refusal) && refusal != nil && refusal.cause != nil {
		if cause := whole(refusal.cause); !strings.Contains(text, cause) {
			text += ": " + cause
		}
	}
	return text
}
