package gitea_test

import (
	"net/http"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/labtest"
)

func TestAccServer(t *testing.T) {
	s := labtest.Forge(t)
	r, err := s.CreateRepository(t.Context(), map[string]string{"a/b": "1\n"})
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := r.File(t.Context(), "main", "a/b"); !ok || text != "1\n" {
		t.Errorf("the file holds %q", text)
	}
	if err := r.Commit(t.Context(), "main", map[string]string{"a/b": "2\n", "c": "3\n"}); err != nil {
		t.Fatal(err)
	}
	reader, err := s.CreateUser(t.Context(), "reader")
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.Token(t.Context(), reader, "read:repository")
	if err != nil || token == "" {
		t.Fatalf("token %q, %v", token, err)
	}
	path := "/repos/" + r.Owner + "/" + r.Name
	if err := s.Do(t.Context(), reader, http.MethodGet, path, nil, nil); err == nil {
		t.Error("a user without rights sees the repository")
	}
	if err := r.Collaborate(t.Context(), reader, "read"); err != nil {
		t.Fatal(err)
	}
	if err := s.Do(t.Context(), reader, http.MethodGet, path, nil, nil); err != nil {
		t.Error(err)
	}
}
