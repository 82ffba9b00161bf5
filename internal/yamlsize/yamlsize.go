// Package yamlsize bounds what reading YAML of strangers takes in memory. A
// parser makes a node of some hundred bytes from every two bytes of a document
// that is made for that, so the size of the text alone bounds too little.
package yamlsize

import (
	"fmt"
	"sync"
)

// Most is the number of characters in a text that may begin a value: line
// breaks and , : [ { *. A document of Kubernetes has at most 1.5 MB, in which one
// character of twenty is one of them.
const Most = 500_000

// large texts are read one after the other, since many are read at once.
const large = 50_000

var reading sync.Mutex

// Error: a text may hold more values than are read.
type Error struct{}

func (Error) Error() string {
	return fmt.Sprintf("too large: more than %d line breaks, commas, colons and brackets", Most)
}

// Enter is an Error for a text that is not to be read. Otherwise leave is to be
// called once the text has been read.
func Enter(text []byte) (leave func(), err error) {
	n := 0
	for _, c := range text {
		switch c {
		case '\n', ',', ':', '[', '{', '*':
			n++
		}
	}
	switch {
	case n > Most:
		return nil, Error{}
	case n > large:
		reading.Lock()
		return reading.Unlock, nil
	}
	return func() {}, nil
}

// Read reads a text by a parser's function.
func Read(text []byte, parse func([]byte) error) error {
	leave, err := Enter(text)
	if err != nil {
		return err
	}
	defer leave()
	return parse(text)
}
