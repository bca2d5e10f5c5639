package grpcmw

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw/accesspb"
	"github.com/sallyport-go/sallyport/grpcmw/internal/nearest"
)

// DeclaredConfig says which services a [DeclaredPolicy] is read from.
type DeclaredConfig struct {
	// Services are the full names of services whose generated code is linked,
	// such as "orders.v1.Orders"; generated code has them as
	// Orders_ServiceDesc.ServiceName. Required.
	Services []string

	// Named are the requirements that options call by name, for what only code
	// can say, such as a [claims.RequestFunc]. One that no option names is an
	// error. Nil means that there are none.
	Named map[string]claims.Requirement
}

// DeclaredPolicy returns what the methods of the services need as their .proto
// files declare it, by the option (sallyport.v1.requirement) of
// sallyport/v1/access.proto:
//
//	rpc GetOrder(GetOrderRequest) returns (GetOrderResponse) {
//	  option (sallyport.v1.requirement) = { scopes: { of: ["orders:read"] } };
//	}
//
// A method without the option has no entry: it is refused, and
// [Interceptor.Audit] names it. The Policy is like any other; [maps.Copy] adds
// the entries of services that declare none, such as grpc.health.v1.Health.
//
// The error reports everything that is wrong with cfg and the options at once:
// an unknown service, with the nearest that there is; an option that sets no
// kind of requirement, or has a field that this version of the package does not
// know, as what it adds could be a restriction; a requirement that is invalid,
// or that looks at requests of another type than the method's; a name that
// Named has not or that no option has. There is no Policy with it.
func DeclaredPolicy(cfg DeclaredConfig) (Policy, error) {
	d := declaration{policy: Policy{}, named: cfg.Named, used: map[string]bool{}}
	if len(cfg.Services) == 0 {
		d.fault("DeclaredConfig.Services is empty")
	}
	services := nearest.Of(linkedServices())
	for _, name := range slices.Compact(slices.Sorted(slices.Values(cfg.Services))) {
		found, _ := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		service, ok := found.(protoreflect.ServiceDescriptor)
		if !ok {
			d.fault("DeclaredConfig.Services: the program has no service %s%s",
				name, didYouMean(services.To(name)))
			continue
		}
		for i := range service.Methods().Len() {
			d.read(service.Methods().Get(i))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Named)) {
		if !d.used[name] {
			d.fault("DeclaredConfig.Named: no method needs %q", name)
		}
	}
	if len(d.errs) > 0 {
		return nil, errors.Join(d.errs...)
	}
	return d.policy, nil
}

// declaration is a policy that is being read.
type declaration struct {
	policy Policy
	named  map[string]claims.Requirement
	used   map[string]bool // names that options have
	errs   []error
}

func (d *declaration) fault(format string, args ...any) {
	d.errs = append(d.errs, fmt.Errorf("grpcmw: "+format, args...))
}

// read adds the entry of a method that has the option.
func (d *declaration) read(method protoreflect.MethodDescriptor) {
	full := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	option, err := optionOf(method)
	if option == nil && err == nil {
		return
	}
	var needs claims.Requirement
	if err == nil {
		needs, err = d.requirement(option)
	}
	if err == nil {
		var unknown *claims.Guard // what grants permissions
		err = unknown.Validate(claims.Operation{Requirement: needs}, requestOf(method))
	}
	if err != nil {
		d.fault("%s: %w", full, err)
		return
	}
	d.policy[full] = needs
}

var errUnknownField = errors.New(
	"the option (sallyport.v1.requirement) has a field that this version of grpcmw does not know")

// optionOf returns the method's requirement, nil if it declares none.
func optionOf(method protoreflect.MethodDescriptor) (*accesspb.Requirement, error) {
	// Decoded anew, as options of a file that was not generated may be of types
	// that were not either.
	encoded, err := proto.Marshal(method.Options())
	if err != nil {
		return nil, err
	}
	var options descriptorpb.MethodOptions
	if err := proto.Unmarshal(encoded, &options); err != nil {
		return nil, err
	}
	for rest := options.ProtoReflect().GetUnknown(); len(rest) > 0; {
		number, _, length := protowire.ConsumeField(rest)
		if length < 0 || number == accesspb.E_Requirement.TypeDescriptor().Number() {
			return nil, errUnknownField
		}
		rest = rest[length:]
	}
	if !proto.HasExtension(&options, accesspb.E_Requirement) {
		return nil, nil
	}
	option := proto.GetExtension(&options, accesspb.E_Requirement).(*accesspb.Requirement)
	if hasUnknown(option.ProtoReflect()) {
		return nil, errUnknownField
	}
	return option, nil
}

// hasUnknown reports whether a message, or one inside it, has fields that are
// not known.
func hasUnknown(m protoreflect.Message) bool {
	found := len(m.GetUnknown()) > 0
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Message() == nil:
		case field.IsList():
			for i := range value.List().Len() {
				found = found || hasUnknown(value.List().Get(i).Message())
			}
		default:
			found = found || hasUnknown(value.Message())
		}
		return !found
	})
	return found
}
