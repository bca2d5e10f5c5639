// Package accesspb is the Go code of sallyport/v1/access.proto: the option by
// which .proto files declare what their methods need. Generated code of such
// files imports it; grpcmw.DeclaredPolicy reads the options.
//
// The .proto is in the directory grpcmw/proto of this module, which has to be
// among the import paths of protoc, or the modules of a buf workspace. Its
// extension of google.protobuf.MethodOptions has the number 66749, of the range
// from 50000 to 99999 that is for use within an organization: a program cannot
// link another one with that number.
package accesspb
