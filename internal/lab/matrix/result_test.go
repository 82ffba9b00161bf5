package matrix

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// events are what go test -json says: a package that passes with a test that is
// skipped, one with a test that fails, one that panics, one that does not compile and
// one with no test to run.
const events = `
{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestAccOne"}
{"Action":"output","Package":"a","Test":"TestAccOne","Output":"=== RUN   TestAccOne\n"}
{"Action":"run","Package":"a","Test":"TestAccOne/sub"}
{"Action":"output","Package":"a","Test":"TestAccOne/sub","Output":"    --- PASS: TestAccOne/sub\n"}
{"Action":"pass","Package":"a","Test":"TestAccOne/sub"}
{"Action":"pass","Package":"a","Test":"TestAccOne"}
{"Action":"run","Package":"a","Test":"TestAccTwo"}
{"Action":"output","Package":"a","Test":"TestAccTwo","Output":"=== RUN   TestAccTwo\n"}
{"Action":"output","Package":"a","Test":"TestAccTwo","Output":"    identity_test.go:15: Terraform 1.11.4 has no identities\n"}
{"Action":"output","Package":"a","Test":"TestAccTwo","Output":"--- SKIP: TestAccTwo (0.01s)\n"}
{"Action":"skip","Package":"a","Test":"TestAccTwo"}
{"Action":"output","Package":"a","Output":"PASS\n"}
{"Action":"output","Package":"a","Output":"ok  \ta\t3.2s\n"}
{"Action":"pass","Package":"a"}
{"Action":"output","Package":"b","Test":"TestAccGood","Output":"nobody wants to see this\n"}
{"Action":"pass","Package":"b","Test":"TestAccGood"}
{"Action":"output","Package":"b","Test":"TestAccBad/sub","Output":"    bad_test.go:3: it is wrong\n"}
{"Action":"fail","Package":"b","Test":"TestAccBad/sub"}
{"Action":"fail","Package":"b","Test":"TestAccBad"}
{"Action":"output","Package":"b","Output":"FAIL\tb\t1s\n"}
{"Action":"fail","Package":"b"}
{"Action":"output","Package":"c","Test":"TestAccPanics","Output":"panic: at the disco\n"}
{"Action":"output","Package":"c","Output":"FAIL\tc\t1s\n"}
{"Action":"fail","Package":"c"}
{"ImportPath":"d","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"d","Action":"build-fail"}
{"Action":"fail","Package":"f","Test":"TestAccBad"}
{"Action":"output","Package":"f","Test":"TestAccSlow","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"f"}
{"Action":"output","Package":"e","Output":"ok  \te\t0.1s [no tests to run]\n"}
{"Action":"pass","Package":"e"}
go: something of its own
`

func TestRead(t *testing.T) {
	r := newResult("Terraform v1.11.4")
	var out bytes.Buffer
	if err := r.read(&out, strings.NewReader(strings.TrimSpace(events))); err != nil {
		t.Fatal(err)
	}
	const want = `ok  	a	3.2s
    bad_test.go:3: it is wrong
FAIL	b	1s
FAIL	c	1s
panic: at the disco
undefined: x
panic: test timed out
go: something of its own`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	r.took = 62 * time.Second
	out.Reset()
	if err := summarize(&out, []*result{r}); !errors.Is(err, ErrFailed) {
		t.Errorf("got %v", err)
	}
	const summary = `
Terraform v1.11.4       2 passed    2 failed    1 skipped   1m2s
  1 skipped: Terraform 1.11.4 has no identities
  failed: c
  failed: d
  failed: f
`
	if out.String() != summary {
		t.Errorf("got\n%s\nwant\n%s", out.String(), summary)
	}
	if len(r.said) != 0 {
		t.Errorf("kept: %v", r.said)
	}
}

func TestSummarize(t *testing.T) {
	for what, c := range map[string]struct {
		result result
		want   error
	}{
		"passed":               {result{passed: 3}, nil},
		"some skipped":         {result{passed: 3, skipped: 1}, nil},
		"all skipped":          {result{skipped: 4}, ErrFailed},
		"nothing ran":          {result{}, ErrFailed},
		"one failed":           {result{passed: 3, failed: 1}, ErrFailed},
		"a package broke":      {result{passed: 3, broken: []string{"a"}}, ErrFailed},
		"go test itself fails": {result{passed: 3, err: errors.New("exit status 1")}, ErrFailed},
	} {
		t.Run(what, func(t *testing.T) {
			// One version that passes does not make up for another.
			if err := summarize(&bytes.Buffer{}, []*result{&c.result, {passed: 1}}); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
