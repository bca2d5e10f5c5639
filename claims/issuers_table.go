package claims

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/persistent"
	"github.com/sallyport-go/sallyport/jwks"
)

// issuerTable is what tokens are verified by until an issuer comes or goes. It
// is immutable; a change makes another, at a cost that does not depend on how
// many issuers there are.
type issuerTable struct {
	verifiers persistent.Map[*Verifier] // by Config.Issuer
	open      openIssuers               // those of them that leave a segment open
	kinds     []Scheme                  // of all their Confirmers
	schemes   []Scheme                  // the same, each once, and without Bearer
	pipeline  *pipeline
	of        *Issuers
	maxSize   int // of tokens
}

// ledger counts what an issuerTable has of each kind, so that no change goes
// through all issuers. It is guarded by the lock of the Issuers.
type ledger struct {
	caches  map[*jwks.Cache]sharing
	sizes   map[int]int    // how many issuers have a MaxTokenSize
	schemes map[Scheme]int // how many Confirmers have a scheme
}

// sharing is how many issuers have their keys from a cache, and whose keys they
// all say that these are.
type sharing struct {
	n      int
	keysOf string
}

func newLedger() ledger {
	return ledger{map[*jwks.Cache]sharing{}, map[int]int{}, map[Scheme]int{}}
}

// shares says what is wrong if a Verifier, in the place of one before, has its
// keys from where another issuer has them: any key there can sign for both.
func (l *ledger) shares(v, before *Verifier, table *issuerTable) error {
	cache, ok := v.keys.(*jwks.Cache)
	if !ok {
		return nil
	}
	others := l.caches[cache]
	if before != nil && before.keys == KeySource(cache) {
		others.n--
	}
	if others.n <= 0 || others.keysOf == v.keysOf {
		return nil
	}
	first := ""
	for issuer, other := range table.verifiers.All() {
		if other.keys == KeySource(cache) && issuer != v.issuer && (first == "" || issuer < first) {
			first = issuer
		}
	}
	return fmt.Errorf("claims: Config.Keys is that of issuer %q, too: "+
		"if they are two names of one issuer, say so by KeysOf", shownURL(first))
}

// count takes a Verifier into account, once, or out of it by -1.
func (l *ledger) count(v *Verifier, once int) {
	if cache, ok := v.keys.(*jwks.Cache); ok {
		l.caches[cache] = sharing{l.caches[cache].n + once, v.keysOf}
		if l.caches[cache].n == 0 {
			delete(l.caches, cache)
		}
	}
	countIn(l.sizes, v.maxTokenSize, once)
	for _, c := range v.confirmers {
		countIn(l.schemes, Scheme{c.scheme, c.algorithms}, once)
	}
}

func countIn[K comparable](counts map[K]int, key K, once int) {
	if counts[key] += once; counts[key] == 0 {
		delete(counts, key)
	}
}

// put trusts one more issuer, or one by another Config than before. It is for a
// table that is being made, as cut and settle are.
func (table *issuerTable) put(v, before *Verifier, l *ledger) {
	if before != nil {
		l.count(before, -1)
	}
	l.count(v, 1)
	table.maxSize = max(table.maxSize, v.maxTokenSize)
	table.verifiers = table.verifiers.With(v.issuer, v)
	if v.template != nil {
		table.open = table.open.with(v)
	} else {
		table.open = table.open.restore(v.issuer)
	}
}

// cut ends the trust in an issuer.
func (table *issuerTable) cut(issuer string, l *ledger) {
	if v, ok := table.verifiers.Get(issuer); ok {
		l.count(v, -1)
		table.verifiers = table.verifiers.Without(issuer)
		if v.template != nil {
			table.open = table.open.without(v)
		}
	}
	table.open = table.open.remove(issuer)
}

// settle finishes a table that is to remember this many tokens. It goes on with
// the pipeline of the table before, if that remembers enough.
func (table *issuerTable) settle(tokens int, l *ledger) {
	if l.sizes[table.maxSize] == 0 { // they are few, mostly one
		table.maxSize = 0
		for size := range l.sizes {
			table.maxSize = max(table.maxSize, size)
		}
	}
	if known := len(l.schemes); known != len(table.kinds) || slices.ContainsFunc(
		table.kinds, func(s Scheme) bool { return l.schemes[s] == 0 }) {
		table.kinds = slices.SortedFunc(maps.Keys(l.schemes), Scheme.compare)
		table.schemes = nil
		for _, scheme := range table.kinds {
			if !scheme.is("Bearer") {
				table.schemes = union(table.schemes, []Scheme{scheme})
			}
		}
	}
	if p := table.pipeline; p == nil || p.cache.Max() < tokens {
		table.pipeline = newPipeline(jws.Asymmetric, tokens)
	}
	table.pipeline.headers.expect(table.verifiers.Len())
}

func (table *issuerTable) owner() maker { return table.of }
func (table *issuerTable) sizes() int   { return table.maxSize }

func (table *issuerTable) takes(scheme string) (takes, sure bool) {
	return slices.ContainsFunc(table.schemes, func(s Scheme) bool { return s.is(scheme) }), true
}

func (table *issuerTable) route(_ context.Context, issuer string) (*trust, error) {
	if v, ok := table.verifiers.Get(issuer); ok && v.template == nil {
		return v.trust, nil
	}
	var room [4]*openGroup
	groups := table.open.covering(issuer, room[:0])
	for _, group := range groups {
		if group.has(issuer) {
			return nil, errIssuer
		}
	}
	for v := after("", groups); v != nil; v = after(v.issuer, groups) {
		if trusted, err := v.trusts(issuer); trusted || err != nil {
			return v.trust, err
		}
	}
	return nil, errIssuer
}

func (table *issuerTable) each(yield func(*trust) bool) {
	for _, v := range table.verifiers.All() {
		if !yield(v.trust) {
			return
		}
	}
}

func (table *issuerTable) nearest(issuer string, most int) (of *trust, how string) {
	if table.verifiers.Len() > most {
		return nil, ""
	}
	for _, v := range table.verifiers.All() {
		if of, how = v.nearest(issuer, most); of != nil {
			return of, how
		}
	}
	return nil, ""
}

// names returns the issuers, in alphabetical order.
func (table *issuerTable) names() []string {
	names := make([]string, 0, table.verifiers.Len())
	for issuer := range table.verifiers.All() {
		names = append(names, issuer)
	}
	slices.Sort(names)
	return names
}

// wanted names the issuers that are trusted, or as many as fit a line.
func (table *issuerTable) wanted() string { return oneOf(table.names(), "none") }

// Which issuer a token is of is not known before it is read.
func (table *issuerTable) early(header, []byte) (*trust, error) { return nil, nil }
