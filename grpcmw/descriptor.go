package grpcmw

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
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

// requestOf returns an empty request of a method, nil if the program does not
// have its type, or the method is nil.
func requestOf(method protoreflect.MethodDescriptor) any {
	if method == nil {
		return nil
	}
	message, err := protoregistry.GlobalTypes.FindMessageByName(method.Input().FullName())
	if err != nil {
		return nil
	}
	return message.Zero().Interface()
}
