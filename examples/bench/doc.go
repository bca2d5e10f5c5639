// Package bench compares Sallyport with the signature check alone and with other
// libraries that verify JWT access tokens, on the same tokens and the same keys.
//
// Each contestant is set up as its documentation says, with the issuer's keys
// fetched from a loopback server beforehand. It must check the signature, "iss",
// "aud" and "exp", decode the claims, find one scope in them and give out the
// subject; the tests of this package hold every one to that, so none is measured
// doing less.
//
// The primitive is the standard library's signature check with the hash of the
// signing input, and nothing else: keys and signature are decoded beforehand.
//
// Wall time on a machine that other work shares says little. BenchmarkPaired
// therefore lets a contestant and the primitive take turns of a millisecond and
// reports the median of the ratios ("x-primitive"); "cpu-ns/op" is the time that
// all threads of the process spent, the garbage collector's included.
package bench
