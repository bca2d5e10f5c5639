package grpcmw

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/sallyport-go/sallyport/claims"
)

// linkedServices returns the full names of the services whose descriptors the
// program has.
func linkedServices() []string {
	var files []protoreflect.FileDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		files = append(files, file) // read later, as the registry is locked
		return true
	})
	var names []string
	for _, file := range files {
		for i := range file.Services().Len() {
			names = append(names, string(file.Services().Get(i).FullName()))
		}
	}
	return names
}

// methodNamed returns the descriptor of a method by its full name,
// "/package.Service/Method", nil if the program has none.
func methodNamed(full string) protoreflect.MethodDescriptor {
	name := strings.ReplaceAll(strings.TrimPrefix(full, "/"), "/", ".")
	found, _ := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	method, _ := found.(protoreflect.MethodDescriptor)
	return method
}

// validateFor returns what is wrong with the requirement of a method, which may
// be nil: also that it looks at requests of another type than the method's.
func validateFor(needs claims.Requirement, method protoreflect.MethodDescriptor) error {
	if method == nil {
		return needs.Validate()
	}
	message, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		return needs.Validate()
	}
	return needs.ValidateFor(message.Zero().Interface())
}
