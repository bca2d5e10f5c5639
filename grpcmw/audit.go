package grpcmw

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"google.golang.org/grpc"

	"github.com/sallyport-go/sallyport/grpcmw/internal/nearest"
)

// Audit compares the policy with the methods that are registered on the
// server, usually a [*grpc.Server]. The error names every method without an
// entry, which no caller can reach, every entry without a method, which may be
// misspelt: if so, with the nearest method, and every entry that has come to
// need a permission which nothing can grant, as issuers have been removed. Call
// it once all services are registered.
func (i *Interceptor) Audit(server interface {
	GetServiceInfo() map[string]grpc.ServiceInfo
}) error {
	if !i.isMade() {
		return errors.New("grpcmw: Interceptor.Audit: the Interceptor was not made by New")
	}
	if r := reflect.ValueOf(server); server == nil || r.Kind() == reflect.Pointer && r.IsNil() {
		return errors.New("grpcmw: Interceptor.Audit: server is nil")
	}
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
	methods := nearest.Of(slices.Collect(maps.Keys(registered)))
	errs = append(errs, i.policy.validate(i.guard)...)
	for _, method := range slices.Sorted(maps.Keys(i.policy)) {
		if !registered[method] {
			errs = append(errs, fmt.Errorf(
				"grpcmw: the policy lists %s, which is no method of the server%s",
				method, didYouMean(methods.To(method))))
		}
	}
	return errors.Join(errs...)
}
