// Package bench compares Sallyport with the signature check alone and with
// other libraries that verify JWT access tokens, on the same tokens and the
// same keys.
//
// Each contestant is set up as its documentation says, with the issuer's keys
// fetched from a loopback server beforehand. It must check the signature,
// "iss", "aud" and "exp", decode the claims, find one scope in them and give
// out the subject; the tests of this package hold every one to that, so none is
// measured doing less.
//
// The primitive is the standard library's signature check with the hash of the
// signing input, and nothing else: keys and signature are decoded beforehand.
//
// Wall time on a machine that other work shares says little. BenchmarkPaired
// therefore lets a contestant and the primitive take turns of a millisecond and
// reports the median of the ratios ("x-primitive"); "cpu-ns/op" is the time
// that all threads of the process spent, the garbage collector's included.
//
// BenchmarkEndToEnd measures what is left of that for users: requests over
// loopback sockets to a server in a process of its own, with a guard and
// without. In each round all contestants have their turn, in random order, and
// ratios are to the server without a guard in the same round. The library that
// has middleware is measured with it, the others in middleware as their users
// write it.
//
// BenchmarkGrowth measures what operations cost as what they stand on grows,
// such as the number of issuers: from few to 100,000, or to what BENCH_LARGEST
// says. What comes from a socket is in the processor's cache, so tokens are
// too, however many there are; what the verifier keeps of them is where it is.
package bench
