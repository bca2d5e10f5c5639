package grpcmw

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sallyport-go/sallyport/claims"
)

// Policy says what each method needs, by full method name, such as
// "/orders.v1.Orders/GetOrder"; generated code has these as constants. There
// are no wildcards. A method that is not listed is refused. A
// [claims.RequestFunc] must take the method's request message, or an interface
// that it has, and a permission must be one that something can grant, as
// [claims.Guard.Validate] says.
type Policy map[string]claims.Requirement

// validate returns what is wrong with the policy of a guard, which is nil if
// that could not be made.
func (p Policy) validate(guard *claims.Guard) []error {
	var errs []error
	if len(p) == 0 {
		errs = append(errs, errors.New(
			"grpcmw: Config.Policy is empty: every call would be refused"))
	}
	for _, method := range slices.Sorted(maps.Keys(p)) {
		if !isFullMethod(method) {
			errs = append(errs, fmt.Errorf(
				"grpcmw: Config.Policy: %q is not a full method name, \"/package.Service/Method\"%s",
				method, nameFault(method)))
		}
		if err := guard.Validate(p.operation(method), requestOf(methodNamed(method))); err != nil {
			errs = append(errs, fmt.Errorf("grpcmw: Config.Policy: %s: %w", method, err))
		}
	}
	return errs
}

func isFullMethod(s string) bool {
	service, method, ok := strings.Cut(strings.TrimPrefix(s, "/"), "/")
	return ok && s[0] == '/' && service != "" && method != "" && !strings.ContainsAny(method, "/*")
}

// Operations returns the methods and what they need, by full name, for a
// [claims.AccessTable].
func (p Policy) Operations() []claims.Operation {
	operations := make([]claims.Operation, 0, len(p))
	for _, method := range slices.Sorted(maps.Keys(p)) {
		operations = append(operations, p.operation(method))
	}
	return operations
}

func (p Policy) operation(method string) claims.Operation {
	return claims.Operation{Protocol: protocol, Name: method, Requirement: p[method]}
}

// nameFault returns a hint for a malformed method name, or "".
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

// didYouMean returns the end of a message about a name, empty if none is near.
func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return " (did you mean " + name + "?)"
}
