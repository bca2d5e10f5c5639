package httpmw

import (
	"strings"
)

const (
	maxAccept = 2 << 10 // bytes of the Accept fields that are looked at
	maxRanges = 32      // and media ranges in them
)

// preferred returns the index of the format that a client likes best by its
// Accept fields (RFC 9110 section 12.5.1): of several the first. A client that
// accepts none has the first all the same, which serves it better than nothing
// (section 12.4.1). What is no media range is passed over, and so are the
// parameters of one.
func preferred(accept []string) int {
	var ranks [3]rank // by format
	left, count := maxAccept, 0
	for _, field := range accept {
		field = field[:min(len(field), left)]
		left -= len(field)
		for part := range strings.SplitSeq(field, ",") {
			if count++; count > maxRanges {
				break
			}
			mediaRange, quality := parseRange(part)
			for i := range formats {
				ranks[i].consider(mediaRange, formats[i].mediaType, quality)
			}
		}
	}
	best := 0
	for i := range formats {
		if ranks[i].quality > ranks[best].quality {
			best = i
		}
	}
	return best
}

// rank is how much a client likes a format, by the range that says so most
// exactly.
type rank struct{ exactness, quality int }

func (k *rank) consider(mediaRange, mediaType string, quality int) {
	var exactness int
	kind, _, _ := strings.Cut(mediaType, "/")
	switch {
	case strings.EqualFold(mediaRange, mediaType):
		exactness = 3
	case strings.EqualFold(mediaRange, kind+"/*"):
		exactness = 2
	case mediaRange == "*/*":
		exactness = 1
	default:
		return
	}
	if exactness == k.exactness { // the best of them: a client does not mean less
		quality = max(quality, k.quality)
	}
	if exactness >= k.exactness {
		*k = rank{exactness, quality}
	}
}

// parseRange returns a media range without parameters and its weight, in
// thousandths; none if the weight is no weight.
func parseRange(part string) (mediaRange string, quality int) {
	mediaRange, parameters, _ := strings.Cut(part, ";")
	quality = 1000
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(parameter, "=")
		if strings.EqualFold(strings.Trim(name, " \t"), "q") {
			var ok bool
			if quality, ok = parseQuality(strings.Trim(value, " \t")); !ok {
				return "", 0
			}
		}
	}
	return strings.Trim(mediaRange, " \t"), quality
}

// parseQuality returns a weight in thousandths (RFC 9110 section 12.4.2).
func parseQuality(value string) (thousandths int, ok bool) {
	whole, fraction, _ := strings.Cut(value, ".")
	if whole != "0" && whole != "1" || len(fraction) > 3 {
		return 0, false
	}
	thousandths = int(whole[0] - '0')
	for i := range 3 {
		digit := 0
		if i < len(fraction) {
			digit = int(fraction[i]) - '0'
		}
		if digit < 0 || digit > 9 {
			return 0, false
		}
		thousandths = thousandths*10 + digit
	}
	return thousandths, thousandths <= 1000
}
