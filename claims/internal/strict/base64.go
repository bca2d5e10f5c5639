package strict

// base64url values of the characters at each of the four places of a group,
// 1<<24 or more for what is none.
var values = func() (tables [4][256]uint32) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for place := range tables {
		for c := range tables[place] {
			tables[place][c] = 1 << 24
		}
		for value, c := range []byte(alphabet) {
			tables[place][c] = uint32(value) << (18 - 6*place)
		}
	}
	return tables
}()

// Decode puts what a segment stands for in the place of what is in dst. The
// segment must be base64url (RFC 7515 section 2) as an encoder writes it:
// without padding, without line breaks, which encoding/base64 passes over, and
// without bits that count for nothing, so that a token has one spelling (RFC
// 4648 section 3.5). An empty one stands for nothing.
func Decode(dst []byte, segment []byte) ([]byte, bool) {
	dst = dst[:0]
	if cap(dst) < len(segment) {
		dst = make([]byte, 0, len(segment))
	}
	out := dst[:len(segment)]
	n := 0
	for ; len(segment) >= 4; segment = segment[4:] {
		v := values[0][segment[0]] | values[1][segment[1]] |
			values[2][segment[2]] | values[3][segment[3]]
		if v >= 1<<24 {
			return dst, false
		}
		out[n], out[n+1], out[n+2] = byte(v>>16), byte(v>>8), byte(v)
		n += 3
	}
	switch len(segment) {
	case 1:
		return dst, false
	case 2:
		v := values[0][segment[0]] | values[1][segment[1]]
		if v >= 1<<24 || v&0xffff != 0 {
			return dst, false
		}
		out[n] = byte(v >> 16)
		n++
	case 3:
		v := values[0][segment[0]] | values[1][segment[1]] | values[2][segment[2]]
		if v >= 1<<24 || v&0xff != 0 {
			return dst, false
		}
		out[n], out[n+1] = byte(v>>16), byte(v>>8)
		n += 2
	}
	return out[:n], n > 0
}
