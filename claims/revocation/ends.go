package revocation

// ends are the entries of a table as a heap: first that which ends first. It is
// a [heap.Interface].
type ends []*kept

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].Until.Before(e[j].Until) }

func (e ends) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].place, e[j].place = i, j
}

func (e *ends) Push(x any) {
	k := x.(*kept)
	k.place = len(*e)
	*e = append(*e, k)
}

func (e *ends) Pop() any {
	last := len(*e) - 1
	k := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return k
}
