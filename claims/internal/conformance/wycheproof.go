package conformance

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/c2sp/wycheproof"
)

// File is a file of Wycheproof's vectors, as far as signatures and keys need
// it.
type File struct {
	NumberOfTests int
	TestGroups    []Group
}

// Group is vectors of one key.
type Group struct {
	Type            string
	Comment         string
	KeySize         int
	Hash            string `json:"sha"`
	MGF             string
	MGFHash         string `json:"mgfSha"`
	SaltLength      int    `json:"sLen"`
	PublicKey       PublicKey
	Public, Private json.RawMessage // a JWK, or a key set
	Tests           []Vector
}

// PublicKey is an RSA, EC or Edwards key.
type PublicKey struct {
	Modulus, PublicExponent Hex
	Curve                   string
	Uncompressed            Hex
	Point                   Hex `json:"pk"`
}

// Vector is one test.
type Vector struct {
	ID        int `json:"tcId"`
	Comment   string
	Message   Hex `json:"msg"`
	Signature Hex `json:"sig"`
	JWS       JWS
	Result    string
}

// String names a vector in a failure.
func (v Vector) String() string { return fmt.Sprintf("%d (%s, %s)", v.ID, v.Comment, v.Result) }

// Valid reports whether a verifier must accept it. "acceptable" is what a
// lenient one may accept: weak parameters, or an encoding that is not the
// specified one. That is refused here like "invalid".
func (v Vector) Valid() bool { return v.Result == "valid" }

// Hex is bytes that are written in hexadecimal.
type Hex []byte

// UnmarshalText implements [encoding.TextUnmarshaler].
func (h *Hex) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// JWS is a compact serialization, or the text of a JSON serialization. Nil
// means that a vector has none.
type JWS []byte

// UnmarshalJSON implements [json.Unmarshaler].
func (j *JWS) UnmarshalJSON(text []byte) error {
	var compact string
	if json.Unmarshal(text, &compact) == nil {
		text = []byte(compact)
	}
	*j = append(JWS{}, text...)
	return nil
}

// WycheproofFiles are the names of all files. None fails the test.
func WycheproofFiles(t testing.TB) []string {
	t.Helper()
	names, err := fs.Glob(wycheproof.TestVectors, "*")
	if err != nil || len(names) == 0 {
		t.Fatalf("no Wycheproof vectors: %v", err)
	}
	return names
}

// Wycheproof reads a file. One that is not there or has fewer vectors than it
// says fails the test.
func Wycheproof(t testing.TB, name string) *File {
	t.Helper()
	data, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	file := &File{}
	if err := json.Unmarshal(data, file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	found := 0
	for _, group := range file.TestGroups {
		for _, vector := range group.Tests {
			found++
			if !strings.Contains(" valid invalid acceptable ", " "+vector.Result+" ") {
				t.Fatalf("%s: vector %v has an unknown result", name, vector)
			}
		}
	}
	if found == 0 || found != file.NumberOfTests {
		t.Fatalf("%s: %d vectors of %d", name, found, file.NumberOfTests)
	}
	return file
}
