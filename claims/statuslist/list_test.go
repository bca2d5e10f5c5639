package statuslist

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims/internal/signed"
)

// The draft's own lists, each of 2^20 tokens, and the two short ones of its
// section 4.1.
func TestList_vectors(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var vectors struct {
		Lists []struct {
			Bits     int
			Lst      string
			Entries  int64
			Statuses map[string]byte
		}
	}
	require.NoError(t, json.Unmarshal(text, &vectors))
	require.Len(t, vectors.Lists, 4, "of 1, 2, 4 and 8 bits")
	named := 0
	for _, v := range vectors.Lists {
		object, err := signed.ParseObject(fmt.Sprintf(`{"status_list":{"bits":%d,"lst":%q}}`, v.Bits, v.Lst))
		require.NoError(t, err)
		list, err := readList(object, 1<<20)
		require.NoError(t, err, v.Bits)
		for index := range v.Entries {
			want := v.Statuses[strconv.FormatInt(index, 10)]
			got, err := list.at(index)
			if err != nil || got != want {
				require.NoError(t, err)
				require.Equal(t, want, got, "%d bits, %d", v.Bits, index)
			}
		}
		named += len(v.Statuses)
		for _, index := range []int64{-1, v.Entries, v.Entries + 1, 1 << 40, 1<<62 - 1} {
			_, err = list.at(index)
			assert.ErrorIs(t, err, errOutOfRange, index)
		}
	}
	assert.Equal(t, 11+11+15+256, named)
	for _, v := range []struct {
		bits int
		lst  string
		want []byte
	}{
		{1, "eNrbuRgAAhcBXQ", []byte{1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1}},
		{2, "eNo76fITAAPfAgc", []byte{1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3}},
	} {
		object, err := signed.ParseObject(fmt.Sprintf(`{"status_list":{"bits":%d,"lst":%q}}`, v.bits, v.lst))
		require.NoError(t, err)
		list, err := readList(object, 100)
		require.NoError(t, err)
		for index, want := range v.want {
			got, err := list.at(int64(index))
			require.NoError(t, err)
			assert.Equal(t, want, got, "%d bits, %d", v.bits, index)
		}
	}
}

func compressed(b []byte) string {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(b)
	_ = w.Close()
	return base64.RawURLEncoding.EncodeToString(out.Bytes())
}

// What a list must not be, a bomb among it.
func TestReadList_faults(t *testing.T) {
	t.Parallel()
	good := compressed([]byte{1, 2, 3})
	decoded, err := base64.RawURLEncoding.DecodeString(good)
	require.NoError(t, err)
	behind := base64.RawURLEncoding.EncodeToString(append(decoded, 0))
	for name, text := range map[string]string{
		"no list":        `{}`,
		"a string":       `{"status_list":"x"}`,
		"no bits":        `{"status_list":{"lst":"` + good + `"}}`,
		"3 bits":         `{"status_list":{"bits":3,"lst":"` + good + `"}}`,
		"0 bits":         `{"status_list":{"bits":0,"lst":"` + good + `"}}`,
		"bits of text":   `{"status_list":{"bits":"1","lst":"` + good + `"}}`,
		"no lst":         `{"status_list":{"bits":1}}`,
		"lst of numbers": `{"status_list":{"bits":1,"lst":[1]}}`,
		"padding":        `{"status_list":{"bits":1,"lst":"` + good + `="}}`,
		"no ZLIB":        `{"status_list":{"bits":1,"lst":"AAAA"}}`,
		"cut":            `{"status_list":{"bits":1,"lst":"` + good[:len(good)-4] + `"}}`,
		"goes on":        `{"status_list":{"bits":1,"lst":"` + behind + `"}}`,
		"empty":          `{"status_list":{"bits":1,"lst":"` + compressed(nil) + `"}}`,
		"a bomb":         `{"status_list":{"bits":1,"lst":"` + compressed(make([]byte, 50<<20)) + `"}}`,
		"a bit too long": `{"status_list":{"bits":1,"lst":"` + compressed(make([]byte, 1025)) + `"}}`,
		"ttl of text":    `{"ttl":"1","status_list":{"bits":1,"lst":"` + good + `"}}`,
		"ttl of zero":    `{"ttl":0,"status_list":{"bits":1,"lst":"` + good + `"}}`,
		"endless ttl":    `{"ttl":99999999999999999,"status_list":{"bits":1,"lst":"` + good + `"}}`,
		"exp of text":    `{"exp":"1","status_list":{"bits":1,"lst":"` + good + `"}}`,
	} {
		object, err := signed.ParseObject(text)
		require.NoError(t, err, name)
		_, err = readList(object, 1024)
		assert.Error(t, err, name)
	}
	object, err := signed.ParseObject(`{"status_list":{"bits":1,"lst":"` + compressed(make([]byte, 1024)) + `"}}`)
	require.NoError(t, err)
	_, err = readList(object, 1024)
	assert.NoError(t, err)
}

// FuzzList: a list is read within its bounds or refused, and no index makes it
// panic or has a status of more bits.
func FuzzList(f *testing.F) {
	f.Add(`{"status_list":{"bits":1,"lst":"eNrbuRgAAhcBXQ"}}`, int64(3))
	f.Add(`{"ttl":60,"exp":9,"status_list":{"bits":2,"lst":"eNo76fITAAPfAgc"}}`, int64(11))
	f.Add(`{"status_list":{"bits":8,"lst":"`+compressed(make([]byte, 5000))+`"}}`, int64(-1))
	f.Fuzz(func(t *testing.T, text string, index int64) {
		object, err := signed.ParseObject(text)
		if err != nil {
			return
		}
		list, err := readList(object, 4096)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(list.bytes), 4096)
		status, err := list.at(index)
		within := index >= 0 && index < int64(len(list.bytes))*int64(8/list.bits)
		require.Equal(t, within, err == nil)
		require.Less(t, int(status), 1<<list.bits)
	})
}
