// Package growth has the words for the curves of BenchmarkGrowth.
package growth

import (
	"strconv"
	"strings"

	"github.com/sallyport-go/sallyport/examples/bench/internal/measured"
)

// Curves are the curves in the order that they are shown in.
var Curves = []Curve{
	{
		Name: "tokens", Of: "tokens", Title: "Remembered tokens",
		Note: "A token that was verified before, among so many: each as often as another, or few " +
			"of them often, by Zipf's law with an exponent of 1.07.",
		Ops: []Op{{"uniform", "each as often"}, {"zipf", "few of them often"}},
	},
	{
		Name: "principals", Of: "principals", Title: "Principals of a PermissionCache",
		Note: "A request with a token that was verified before, of so many callers, by a guard " +
			"that needs a scope, and one that also needs a permission from a source which was " +
			"asked before, ten for each caller.",
		Ops: []Op{{"scope", "a scope"}, {"permission", "and a permission"}},
	},
	{
		Name: "issuers", Of: "issuers", Title: "Issuers",
		Note: "One token of each, with a key of its own.",
		Ops: []Op{
			{"cached", "verified before"}, {"uncached", "verified"},
			{"add-remove", "Add and Remove"},
		},
	},
	{
		Name: "tenants", Of: "tenants", Title: "Tenants",
		Note: "One token of each, with a key of its own.",
		Ops:  []Op{{"cached", "verified before"}, {"uncached", "verified"}},
	},
	{
		Name: "keys", Of: "keys", Title: "Keys of a set",
		Note: "A token of one of them.",
		Ops: []Op{
			{"cached", "verified before"}, {"uncached", "verified"}, {"lookup", "the key alone"},
		},
	},
	{
		Name: "methods", Of: "methods", Title: "Methods of a gRPC policy",
		Note: "A unary call of each in turn, with a token that was verified before; and to make " +
			"the interceptor.",
		Ops: []Op{{"call", "a call"}, {"new", "grpcmw.New"}},
	},
	{
		Name: "routes", Of: "routes", Title: "Routes of a ServeMux",
		Note: "A request to each in turn, with a token that was verified before, and without a " +
			"guard.",
		Ops: []Op{{"guarded", "httpmw.ServeMux"}, {"bare", "http.ServeMux"}},
	},
	{
		Name: "parts", Of: "parts", Title: "Parts of a requirement",
		Note: "Each part is a scope. Of alternatives that are met it is the last.",
		Ops: []Op{
			{"all-met", "All, met"}, {"all-refused", "All, refused"},
			{"any-met", "AnyOf, met"}, {"any-refused", "AnyOf, refused"},
		},
	},
	{
		Name: "length", Of: "length", Title: "Length of a good token (RS256)",
		Bytes: true,
		Note: "What makes it long is one string, an array of groups, or members of a few bytes; " +
			"a token with too many of these is refused, and is not here.",
		Ops: []Op{
			{"cached-string", "a string, verified before"},
			{"cached-groups", "groups, verified before"},
			{"cached-members", "members, verified before"},
			{"uncached-string", "a string, verified"},
			{"uncached-groups", "groups, verified"},
			{"uncached-members", "members, verified"},
		},
	},
	{
		Name: "length-expired", Of: "length", Title: "Length of an expired token", Bytes: true,
		Note: "It is refused before its signature is looked at, so whoever sends it needs no " +
			"key; one with too many members already for these.",
		Ops: []Op{
			{"expired-string", "a string"}, {"expired-groups", "groups"},
			{"expired-members", "members"},
		},
	},
}

// Curve is a table and a picture of what operations cost while a number grows.
type Curve struct {
	Name        string // of its file
	Of          string // its label in the results
	Title, Note string
	Bytes       bool // whether the number is of bytes
	Ops         []Op
}

// Op is an operation: its label in the results, and what it is to a reader.
type Op struct{ Label, Text string }

// Sizes returns the numbers that were measured.
func (c Curve) Sizes(r *measured.Results) []string {
	return r.Labels("Growth/of="+c.Of, "n")
}

// Benchmark is the name of the results of an operation at a size.
func (c Curve) Benchmark(size string, op Op) string {
	return "Growth/of=" + c.Of + "/n=" + size + "/op=" + op.Label
}

// Cost returns the seconds of processor time that an operation takes, or, where
// that is not known, of time.
func Cost(r *measured.Results, benchmark string) (seconds float64, ok bool) {
	if cost, ok := r.Median(benchmark, "cpu-sec/op"); ok {
		return cost, true
	}
	return r.Median(benchmark, "sec/op")
}

// SizeText writes a size for a reader: 10,000, or 2 KiB.
func (c Curve) SizeText(size string) string {
	n, err := strconv.Atoi(size)
	if err != nil {
		return size
	}
	if c.Bytes {
		return strings.TrimSuffix(strconv.FormatFloat(float64(n)/1024, 'f', 1, 64), ".0") + " KiB"
	}
	for i := len(size) - 3; i > 0; i -= 3 {
		size = size[:i] + "," + size[i:]
	}
	return size
}
