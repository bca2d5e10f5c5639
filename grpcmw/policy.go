package grpcmw

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/claims"
)

// Policy says what each method needs, by full method name, such as
// "/orders.v1.Orders/GetOrder"; generated code has these as constants. There are
// no wildcards. A method that is not listed is refused. A [claims.RequestFunc] must take
// the method's request message, or an interface that it has.
type Policy map[string]claims.Requirement

func (p Policy) validate() []error {
	var errs []error
	if len(p) == 0 {
		errs = append(errs, errors.New("grpcmw: Config.Policy is empty: every call would be refused"))
	}
	for _, method := range slices.Sorted(maps.Keys(p)) {
		if !isFullMethod(method) {
			errs = append(errs, fmt.Errorf(
				"grpcmw: Config.Policy: %q is not a full method name, \"/package.Service/Method\"%s",
				method, nameFault(method)))
		}
		if err := validateFor(p[method], methodNamed(method)); err != nil {
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
		operations = append(operations, claims.Operation{
			Protocol: protocol, Name: method, Requirement: p[method],
		})
	}
	return operations
}

// Services is what [Interceptor.Audit] needs of a [*grpc.Server].
type Services interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
}

// Audit compares the policy with the methods that are registered on the server,
// and returns an error that names every method without an entry, which no caller
// can reach, and every entry without a method, which may be misspelt: if so, the
// nearest method is named with it. Call it once all services are registered.
func (i *Interceptor) Audit(server Services) error {
	var errs []error
	registered := map[string]bool{}
	for service, info := range server.GetServiceInfo() {
		for _, method := range info.Methods {
			registered["/"+service+"/"+method.Name] = true
		}
	}
	for _, method := range slices.Sorted(maps.Keys(registered)) {
		if _, listed := i.policy[method]; !listed {
			errs = append(errs, fmt.Errorf(
				"grpcmw: method %s has no entry in the policy: it refuses every call", method))
		}
	}
	methods := newSuggestions(slices.Collect(maps.Keys(registered)))
	for _, method := range slices.Sorted(maps.Keys(i.policy)) {
		if !registered[method] {
			errs = append(errs, fmt.Errorf(
				"grpcmw: the policy lists %s, which is no method of the server%s",
				method, methods.forName(method)))
		}
	}
	return errors.Join(errs...)
}
