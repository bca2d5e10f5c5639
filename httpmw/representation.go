package httpmw

import (
	"maps"
	"net/http"
	"slices"
)

// representation are the fields that say something of the body which they are
// sent with (RFC 9110 section 8, 14.3 and 6.6.2, RFC 6266, RFC 9530 and its
// predecessors), but for those of every refusal.
var representation = []string{
	"Accept-Ranges",
	"Content-Digest",
	"Content-Disposition",
	"Content-Encoding",
	"Content-Language",
	"Content-Length",
	"Content-Location",
	"Content-Md5",
	"Content-Range",
	"Digest",
	"Etag",
	"Expires",
	"Last-Modified",
	"Repr-Digest",
	"Trailer",
	"Transfer-Encoding",
}

// kept stands behind the values of a field that was there before the handler
// ran: in their array, beyond the end of the slice, where nobody looks. Refuse
// is given no more than the header, and by this sees what is not the handler's.
const kept = "\x00kept"

// keep marks what a header says before the handler runs.
func keep(header http.Header) {
	if len(header) == 0 {
		return
	}
	for _, name := range representation {
		if values := header[name]; len(values) > 0 && !isKept(values) {
			header[name] = append(slices.Clip(slices.Clone(values)), kept)[:len(values)]
		}
	}
}

func isKept(values []string) bool {
	return cap(values) > len(values) && values[:len(values)+1][len(values)] == kept
}

// drop removes what the handler has said of its body, however it spelled it.
func drop(header http.Header) {
	maps.DeleteFunc(header, func(name string, values []string) bool {
		return slices.Contains(representation, http.CanonicalHeaderKey(name)) && !isKept(values)
	})
}
