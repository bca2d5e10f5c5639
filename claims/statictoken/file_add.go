package statictoken

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// AddToFile mints a token and adds its line to the file at path, which it makes
// if it is not there, with a new key, for its owner alone to read. It returns
// the token, to be shown once. The prefix is that of [Config]; empty means
// "sallyport". A file that is broken is left alone.
func AddToFile(path, prefix string, t Token) (token string, err error) {
	if _, _, err := Mint(NewKey(), prefix, t); err != nil { // before a file is made for it
		return "", err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = newTokenFile(path)
	}
	if err != nil {
		return "", err
	}
	table, err := parse(text, nil)
	if err != nil {
		return "", fmt.Errorf("statictoken: %s: %w", path, err)
	}
	token, minted, err := Mint(table.key, prefix, t)
	if err != nil {
		return "", err
	}
	line, err := minted.line()
	if err != nil {
		return "", err
	}
	return token, appendLine(path, line)
}

// newTokenFile makes a file without tokens, and returns what is in it.
func newTokenFile(path string) ([]byte, error) {
	text := []byte(`{"statictoken":` + version + `,"key":"` + NewKey().encode() + "\"}\n")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(text)
	return text, errors.Join(err, f.Close())
}

// appendLine adds a line by one write, so that two that are added at once are
// both there, and whoever reads meanwhile sees it or not.
func appendLine(path string, line []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
