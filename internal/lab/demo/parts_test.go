package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	var got []string
	w := &lines{each: func(line string) { got = append(got, line) }}
	for _, part := range []string{"one\nt", "wo\r\n", "\nrest"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if want := []string{"one", "two", ""}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStory_stage(t *testing.T) {
	var out bytes.Buffer
	s := newStory(&out)
	if err := s.stage("First", func() error { s.line("detail"); return nil }); err != nil {
		t.Error(err)
	}
	failure := errors.New("broken")
	if err := s.stage("Second", func() error { return failure }); !errors.Is(err, failure) || !strings.HasPrefix(err.Error(), "Second: ") {
		t.Errorf("got %v", err)
	}
	if want := "1. First\n   detail\n   0.0 s\n\n2. Second\n   failed after 0.0 s\n\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestInventory_without(t *testing.T) {
	before, after := inventory{"Secret dev a", "Secret dev b"}, inventory{"Secret dev b", "Secret dev c"}
	if got := after.without(before); !slices.Equal(got, []string{"Secret dev c"}) {
		t.Errorf("got %q", got)
	}
	if len(after) != 2 || after[0] != "Secret dev b" {
		t.Errorf("the inventory has changed: %q", after)
	}
}

func TestAddRights(t *testing.T) {
	rights := map[string]bool{}
	addRights(rights, []any{
		map[string]any{"verbs": []any{"get", "list"}, "apiGroups": []any{""}, "resources": []any{"pods"}},
		map[string]any{"verbs": []any{"get"}, "apiGroups": []any{"apps"}, "resources": []any{"deployments"}},
	})
	if got, want := lined(rights), "get deployments.apps\nget pods\nlist pods"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestExecute(t *testing.T) {
	var also bytes.Buffer
	out, err := execute(t.Context(), []string{"GREETING=hello"}, &also, "sh", "-c", `echo "$GREETING"; echo aside >&2`)
	if out != "hello\n" || also.String() != out || err != nil {
		t.Errorf("got %q, %q, %v", out, also.String(), err)
	}
	_, err = execute(t.Context(), nil, io.Discard, "sh", "-c", "echo out; echo err >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "err") {
		t.Errorf("got %v", err)
	}
}

func TestExecute_interrupted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	started := &lines{each: func(string) { stop() }}
	_, err := execute(ctx, nil, started, "sh", "-c", `trap 'echo saved; exit 0' INT; echo started; while :; do sleep 0.05; done`)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the interrupt", err)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("TF_LOG", "trace")
	t.Setenv("KUBE_HOST", "https://example.com")
	t.Setenv("CARVEL_LAB_CACHE", "/cache")
	if got := environment(); slices.Contains(got, "TF_LOG=trace") || slices.Contains(got, "KUBE_HOST=https://example.com") ||
		!slices.Contains(got, "CARVEL_LAB_CACHE=/cache") {
		t.Errorf("got %q", got)
	}
}
