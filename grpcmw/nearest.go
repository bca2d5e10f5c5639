package grpcmw

import (
	"slices"
	"strings"
	"unicode"
)

// Longer names than this are compared for equality alone, and more names than
// that get no suggestion: what is wrong with them all is no slip of the pen.
const (
	maxSuggestedLength = 256
	maxSuggestions     = 32
)

// suggestions finds what misspelt names may have meant.
type suggestions struct {
	names []string // sorted
	left  int
}

func newSuggestions(names []string) *suggestions {
	return &suggestions{slices.Sorted(slices.Values(names)), maxSuggestions}
}

// forName returns the end of a message about name: a question that has the nearest
// of the names, nothing if none is near.
func (s *suggestions) forName(name string) string {
	if s.left == 0 {
		return ""
	}
	s.left--
	if nearest := nearestOf(name, s.names); nearest != "" {
		return didYouMean(nearest)
	}
	return ""
}

func didYouMean(name string) string { return " (did you mean " + name + "?)" }

// nearestOf returns the name, of those that are near enough to be meant, that the
// fewest changes make of the wanted one, the first of several; empty if none is.
func nearestOf(wanted string, names []string) string {
	nearest, fewest := "", 0
	for _, name := range names {
		if !isNear(wanted, name) {
			continue
		}
		// Capitals count only between names that are as near without them.
		changes := 0
		if !isLong(wanted, name) {
			changes = maxSuggestedLength*distance(strings.ToLower(wanted), strings.ToLower(name)) +
				distance(wanted, name)
		}
		if nearest == "" || changes < fewest {
			nearest, fewest = name, changes
		}
	}
	return nearest
}

func isLong(a, b string) bool { return max(len(a), len(b)) > maxSuggestedLength }

// isNear reports whether somebody who wrote a, the name of a service or method, may
// have meant b: a few letters differ, or the version, or nothing but the package or
// the service that the method is in.
func isNear(a, b string) bool {
	serviceA, methodA, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(a), "/"), "/")
	serviceB, methodB, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(b), "/"), "/")
	if isLong(a, b) {
		return serviceA == serviceB && methodA == methodB
	}
	if !isSlip(methodA, methodB) {
		return false
	}
	return isSlip(serviceA, serviceB) ||
		withoutVersion(serviceA) == withoutVersion(serviceB) ||
		methodA == methodB && lastName(serviceA) == lastName(serviceB) ||
		methodA == methodB && methodA != "" && packageOf(serviceA) == packageOf(serviceB)
}

// isSlip reports whether few enough letters differ.
func isSlip(a, b string) bool {
	if a == b {
		return true
	}
	length := max(len(a), len(b))
	if length < 3 {
		return false
	}
	allowed := max(length/4, 1)
	return len(a)-len(b) <= allowed && len(b)-len(a) <= allowed && distance(a, b) <= allowed
}

func lastName(service string) string { return service[strings.LastIndex(service, ".")+1:] }

func packageOf(service string) string { return service[:max(strings.LastIndex(service, "."), 0)] }

// withoutVersion drops the parts of a package that are versions, such as v1 and
// v2beta1.
func withoutVersion(service string) string {
	parts := slices.DeleteFunc(strings.Split(service, "."), func(part string) bool {
		return len(part) > 1 && part[0] == 'v' && '0' <= part[1] && part[1] <= '9'
	})
	return strings.Join(parts, ".")
}

// distance returns how many bytes are to be put in, left out, replaced or
// exchanged with their neighbour to make b of a.
func distance(a, b string) int {
	before := make([]int, len(b)+1) // the row before the last
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			row[j] = min(last[j]+1, row[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// nameFault returns what a name that is not that of a method lacks, or which was
// meant; empty if it is not to be told.
func nameFault(name string) string {
	if strings.Contains(name, "*") {
		return ": there are no wildcards, each method has an entry"
	}
	trimmed := strings.Trim(strings.TrimSpace(name), "/")
	if !strings.Contains(trimmed, "/") {
		// orders.v1.Orders.GetOrder, as descriptors have it: of two names in
		// capitals the last is the method.
		if i := strings.LastIndex(trimmed, "."); i >= 0 && isCapital(trimmed[i+1:]) &&
			isCapital(trimmed[strings.LastIndex(trimmed[:i], ".")+1:i]) {
			return didYouMean(`"/` + trimmed[:i] + "/" + trimmed[i+1:] + `"`)
		}
	}
	if meant := "/" + trimmed; isFullMethod(meant) {
		return didYouMean(`"` + meant + `"`)
	}
	return ""
}

func isCapital(s string) bool { return s != "" && unicode.IsUpper(rune(s[0])) }
