package httpauth

import "github.com/sallyport-go/sallyport/claims"

// Prepared is what a transport answers refusals with, made once for each class
// and reason of [claims.Refusals]. It is immutable and safe for concurrent use.
// [Prepare] makes one; the zero value has the zero T for every refusal.
type Prepared[T any] struct {
	make  func(*claims.Error) T
	ready map[kind]T
}

// kind is what a prepared answer depends on.
type kind struct {
	class  error
	reason claims.Reason
}

// Prepare returns what make returns for each refusal. make looks at nothing but
// the class of the refusal, its reason, its text and its Second, and is safe
// for concurrent use.
func Prepare[T any](make func(*claims.Error) T) Prepared[T] {
	p := Prepared[T]{make, map[kind]T{}}
	for _, refusal := range claims.Refusals() {
		p.ready[kind{refusal.Class(), refusal.Reason()}] = make(refusal)
	}
	return p
}

// For returns the answer to a refusal, which is made now if its reason is one
// of the user's own, or if it is about a second credential.
func (p Prepared[T]) For(refusal *claims.Error) T {
	answer, ok := p.ready[kind{refusal.Class(), refusal.Reason()}]
	if (!ok || refusal.Second() != "") && p.make != nil {
		return p.make(refusal)
	}
	return answer
}
