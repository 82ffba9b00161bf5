package binaries

import (
	"errors"
	"strings"
	"testing"
)

const backendTable = `package init

import (
	"sync"

	backendLocal "example.com/terraform/internal/backend/local"
	backendHTTP "example.com/terraform/internal/backend/remote-state/http"
	"example.com/terraform/internal/backend/remote-state/pg"
	backendS3 "example.com/terraform/internal/backend/remote-state/s3"
)

var lock sync.Mutex

func Init() {
	backends = map[string]InitFn{
		"local": func() Backend { return backendLocal.New() },
		"http":  func() Backend { return backendHTTP.New() },
		"pg":    func() Backend { return pg.New() },
		"s3":    func() Backend { return backendS3.New() },
	}
	removed = map[string]string{"s3.New": "backendS3.New"}
}
`

func TestWithoutBackends(t *testing.T) {
	rest, err := withoutBackends([]byte(backendTable))
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for line := range strings.Lines(backendTable) {
		if !strings.Contains(line, "pg") && !strings.Contains(line, "/s3") && !strings.Contains(line, "return backendS3") {
			kept = append(kept, strings.TrimSpace(line))
		}
	}
	if got, want := strings.Join(strings.Fields(string(rest)), " "), strings.Join(strings.Fields(strings.Join(kept, " ")), " "); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestWithoutBackends_ofAnotherFile(t *testing.T) {
	if _, err := withoutBackends([]byte("package init\n\nimport \"sync\"\n")); !errors.Is(err, errNoBackends) {
		t.Errorf("got %v", err)
	}
	if _, err := withoutBackends([]byte("not Go")); err == nil {
		t.Error("no error")
	}
}
