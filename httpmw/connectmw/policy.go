package connectmw

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/sallyport-go/sallyport/claims"
)

// Policy says what each procedure needs, by its full name, such as
// "/orders.v1.Orders/GetOrder"; generated code has these as constants that end
// in Procedure. There are no wildcards. A procedure that is not listed is
// refused. A [claims.RequestFunc] must take the procedure's request message, or
// an interface that it has, and a permission must be one that something can
// grant, as [claims.Guard.Validate] says. A grpcmw.Policy, DeclaredPolicy
// included, can be converted to it.
type Policy map[string]claims.Requirement

// validate returns what is wrong with the policy of a guard, which is nil if
// that could not be made.
func (p Policy) validate(guard *claims.Guard) []error {
	var errs []error
	if len(p) == 0 {
		errs = append(errs, errors.New(
			"connectmw: Config.Policy is empty: every call would be refused"))
	}
	for _, procedure := range slices.Sorted(maps.Keys(p)) {
		if !isProcedure(procedure) {
			errs = append(errs, fmt.Errorf("connectmw: Config.Policy: "+
				"%q is not a procedure, \"/package.Service/Method\"", procedure))
		}
		err := guard.Validate(p.operation(procedure), requestOf(procedure))
		if err != nil {
			errs = append(errs, fmt.Errorf("connectmw: Config.Policy: %s: %w", procedure, err))
		}
	}
	return errs
}

func isProcedure(s string) bool {
	service, method, ok := strings.Cut(strings.TrimPrefix(s, "/"), "/")
	return ok && s[0] == '/' && service != "" && method != "" && !strings.ContainsAny(s, "*?# ") &&
		!strings.Contains(method, "/")
}

// procedureOf returns the procedure that a path ends in, as connect takes it
// from the one that a handler is made for.
func procedureOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[max(strings.LastIndexByte(path[:i], '/'), 0):]
	}
	return path
}

// Operations returns the procedures and what they need, by name, for a
// [claims.AccessTable].
func (p Policy) Operations() []claims.Operation {
	operations := make([]claims.Operation, 0, len(p))
	for _, procedure := range slices.Sorted(maps.Keys(p)) {
		operations = append(operations, p.operation(procedure))
	}
	return operations
}

func (p Policy) operation(procedure string) claims.Operation {
	return claims.Operation{Protocol: protocol, Name: procedure, Requirement: p[procedure]}
}

// methodNamed returns the descriptor of a procedure, nil if the program has
// none.
func methodNamed(procedure string) protoreflect.MethodDescriptor {
	name := strings.ReplaceAll(strings.TrimPrefix(procedure, "/"), "/", ".")
	found, _ := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	method, _ := found.(protoreflect.MethodDescriptor)
	return method
}

// requestOf returns an empty request of a procedure, nil if the program does
// not have its type.
func requestOf(procedure string) any {
	method := methodNamed(procedure)
	if method == nil {
		return nil
	}
	message, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		return nil
	}
	return message.Zero().Interface()
}

// Audit compares the policy with services whose generated code is linked, by
// their full names, such as "orders.v1.Orders": all that the server has. The
// error names every method without an entry, which no caller can reach, every
// entry that is of none of the services, and every entry that has come to need
// a permission which nothing can grant.
func (i *Interceptor) Audit(services ...string) error {
	if !i.isMade() {
		return errors.New("connectmw: Interceptor.Audit: the Interceptor was not made by New")
	}
	var errs []error
	served := map[string]bool{}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(services))) {
		found, _ := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		service, ok := found.(protoreflect.ServiceDescriptor)
		if !ok {
			errs = append(errs, fmt.Errorf("connectmw: the program has no service %q", name))
			continue
		}
		for n := range service.Methods().Len() {
			served["/"+name+"/"+string(service.Methods().Get(n).Name())] = true
		}
	}
	for _, procedure := range slices.Sorted(maps.Keys(served)) {
		if _, listed := i.policy[procedure]; !listed {
			errs = append(errs, fmt.Errorf(
				"connectmw: procedure %s has no entry in the policy: it refuses every call", procedure))
		}
	}
	errs = append(errs, i.policy.validate(i.guard)...)
	for _, procedure := range slices.Sorted(maps.Keys(i.policy)) {
		if !served[procedure] {
			errs = append(errs, fmt.Errorf(
				"connectmw: the policy lists %s, which is no procedure of the services", procedure))
		}
	}
	return errors.Join(errs...)
}
