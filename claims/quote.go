package claims

import (
	"strconv"
	"strings"
	"time"
)

func moment(t time.Time) string {
	if t.IsZero() {
		return "missing"
	}
	return t.UTC().Format(time.RFC3339)
}

func oneOf(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = quote(s)
	}
	return clip(strings.Join(words, " or "))
}

// quote makes what a sender wrote fit to be shown on a terminal, and what looks
// like another letter seen for what it is.
func quote(s string) string { return clip(strconv.QuoteToASCII(s)) }

// quoteRaw is quote for JSON, which has quotation marks of its own.
func quoteRaw(s string) string {
	quoted := strconv.QuoteToASCII(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	return s[:maxQuoted] + "..."
}

const maxQuoted = 200 // a claim may have kilobytes
