package jwks

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxAgeOf returns for how long an answer says that it is fresh (RFC 9111
// section 4.2): max-age, or Expires less Date, less the Age that a cache on the
// way gives it. It returns zero if the answer does not say, and at least a
// second if it does. That a key set must not be stored, or must be asked for
// again each time ("no-store", "no-cache"), is not followed: it would mean a
// fetch per request.
func maxAgeOf(header http.Header, now time.Time) time.Duration {
	life, ok := maxAgeDirective(header)
	if !ok {
		field := header.Get("Expires")
		if field == "" {
			return 0
		}
		if date, err := http.ParseTime(header.Get("Date")); err == nil {
			now = date
		}
		// What is no date is one in the past (RFC 9111 section 5.3).
		if expires, err := http.ParseTime(field); err == nil {
			life = max(expires.Sub(now), 0)
		}
	}
	if age, ok := deltaSeconds(header.Get("Age")); ok {
		life -= age
	}
	return max(life, time.Second)
}

func maxAgeDirective(header http.Header) (time.Duration, bool) {
	for _, field := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(field, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			if age, ok := deltaSeconds(strings.Trim(value, `"`)); ok {
				return age, true
			}
		}
	}
	return 0, false
}

// deltaSeconds reads RFC 9111 section 1.2.2; what is too large is the largest.
func deltaSeconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		seconds = 1 << 31
	}
	return time.Duration(seconds) * time.Second, true
}
