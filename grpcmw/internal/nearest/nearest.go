// Package nearest finds what a misspelt name of a gRPC service or method may
// have meant.
package nearest

import (
	"slices"
	"strings"
)

// Longer names than this are compared for equality alone, and more names than
// that get no suggestion: what is wrong with them all is no slip of the pen.
const (
	maxSuggestedLength = 256
	maxSuggestions     = 32
)

// Names are the names that may have been meant. [Of] makes them.
type Names struct {
	sorted []string
	left   int
}

// Of returns the Names of services, such as "orders.v1.Orders", or of methods,
// such as "/orders.v1.Orders/GetOrder".
func Of(names []string) *Names {
	return &Names{slices.Sorted(slices.Values(names)), maxSuggestions}
}

// To returns the nearest of the names, or "" if none is near enough to be
// meant. It answers a few times only, as it takes long to look for many. It is
// not safe for concurrent use.
func (n *Names) To(name string) string {
	if n.left == 0 {
		return ""
	}
	n.left--
	return nearestOf(name, n.sorted)
}

// nearestOf returns the name, of those that are near enough to be meant, that
// the fewest changes make of the wanted one, the first of several; empty if
// none is.
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

// isNear reports whether somebody who wrote a, the name of a service or method,
// may have meant b: a few letters differ, or the version, or nothing but the
// package or the service that the method is in.
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
