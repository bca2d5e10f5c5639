package claims

import "reflect"

// isNil reports whether an interface holds nothing, or a nil pointer, as a
// constructor returns beside an error, or a nil function.
func isNil(v any) bool {
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Func:
		return r.IsNil()
	}
	return false
}

func nilFault(v any) string {
	if reflect.ValueOf(v).Kind() == reflect.Func {
		return "is a nil function"
	}
	return "is a nil pointer"
}
