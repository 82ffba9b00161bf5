package acctest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// Repository is a clone of the GitOps repository by the git command, which
// looks at it and writes to it as somebody else.
type Repository struct {
	env *Env
	dir string
}

// Repository clones the lab's repository.
func (e *Env) Repository() *Repository {
	e.T.Helper()
	r := &Repository{env: e, dir: e.T.TempDir()}
	r.git("clone", "--quiet", e.withCredentials(), ".")
	return r
}

func (r *Repository) git(args ...string) string {
	r.env.T.Helper()
	out, err := r.run(args...)
	if err != nil {
		r.env.T.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return out
}

func (r *Repository) run(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Somebody Else", "GIT_AUTHOR_EMAIL=somebody@example.com",
		"GIT_COMMITTER_NAME=Somebody Else", "GIT_COMMITTER_EMAIL=somebody@example.com")
	if ca := r.env.Lab.Git.CAFile; ca != "" {
		cmd.Env = append(cmd.Env, "GIT_SSL_CAINFO="+ca)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Filters reports whether the Git server leaves out what a fetch does not want
// (uploadpack.allowFilter).
func (r *Repository) Filters() bool {
	r.env.T.Helper()
	out := r.git("clone", "--bare", "--depth=1", "--filter=blob:none", r.env.withCredentials(), r.env.T.TempDir())
	return !strings.Contains(out, "filtering not recognized by server")
}

// Pull brings the clone to the branch's tip.
func (r *Repository) Pull() {
	r.env.T.Helper()
	r.git("fetch", "--quiet", "origin")
	r.git("reset", "--quiet", "--hard", "@{upstream}")
}

// Write commits files, path to content, and pushes; an empty content deletes
// the file. Other tests push to the same branch, so it is tried again.
func (r *Repository) Write(message string, files map[string]string) {
	r.env.T.Helper()
	for range 20 {
		r.Pull()
		for path, content := range files {
			full := filepath.Join(r.dir, filepath.FromSlash(path))
			if content == "" {
				if err := os.Remove(full); err != nil && !os.IsNotExist(err) {
					r.env.T.Fatal(err)
				}
				continue
			}
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				r.env.T.Fatal(err)
			}
			if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
				r.env.T.Fatal(err)
			}
		}
		r.git("add", "--all")
		if _, err := r.run("diff", "--cached", "--quiet"); err == nil {
			return // nothing to change
		}
		r.git("commit", "--quiet", "-m", message)
		if _, err := r.run("push", "--quiet"); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.env.T.Fatal("the branch kept moving")
}

// Read is a file at the tip; ok reports whether it is there.
func (r *Repository) Read(path string) (content string, ok bool) {
	r.env.T.Helper()
	r.Pull()
	data, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(path)))
	if os.IsNotExist(err) {
		return "", false
	}
	if err != nil {
		r.env.T.Fatal(err)
	}
	return string(data), true
}

// Branch makes a branch of the tip.
func (r *Repository) Branch(name string) {
	r.env.T.Helper()
	r.Pull()
	r.git("push", "--quiet", "origin", "HEAD:refs/heads/"+name)
	r.env.T.Cleanup(func() {
		if out, err := r.run("push", "--quiet", "origin", "--delete", name); err != nil {
			r.env.T.Errorf("delete branch %s: %v\n%s", name, err, out)
		}
	})
}

// Removed reports whether a branch has no file at a path.
func (r *Repository) Removed(branch, path string) bool {
	r.git("fetch", "--quiet", "origin")
	_, err := r.run("cat-file", "-e", "origin/"+branch+":"+path)
	return err != nil
}

// Merge brings a branch onto the one that is cloned, as people do. Other tests push to that, so it is tried again.
func (r *Repository) Merge(name string) {
	r.env.T.Helper()
	for range 20 {
		r.Pull()
		r.git("merge", "--quiet", "--no-edit", "origin/"+name)
		if _, err := r.run("push", "--quiet"); err == nil {
			return
		}
	}
	r.env.T.Fatal("the branch kept moving")
}

// HasCommits checks how many commits have touched a path.
func (r *Repository) HasCommits(path string, want int) resource.TestCheckFunc {
	return func(*terraform.State) error {
		r.Pull()
		if got := lines(r.git("log", "--format=%h %s", "--", path)); len(got) != want {
			return fmt.Errorf("%d commits touch %s, want %d: %v", len(got), path, want, got)
		}
		return nil
	}
}

// Holds checks that a commit is another one, or comes after it.
func (r *Repository) Holds(commit, ancestor string) error {
	r.Pull()
	if out, err := r.run("merge-base", "--is-ancestor", ancestor, commit); err != nil {
		return fmt.Errorf("commit %q does not hold %q: %w %s", commit, ancestor, err, out)
	}
	return nil
}

// LastMessageHas checks the message of the last commit that touched a path.
func (r *Repository) LastMessageHas(path string, texts ...string) error {
	r.Pull()
	return TextHas(r.git("log", "-1", "--format=%B", "--", path), texts, nil)
}

// TextHas checks that a text holds some texts and not others.
func TextHas(text string, texts, not []string) error {
	for _, t := range texts {
		if !strings.Contains(text, t) {
			return fmt.Errorf("%q is missing in:\n%s", t, text)
		}
	}
	for _, t := range not {
		if strings.Contains(text, t) {
			return fmt.Errorf("%q is in:\n%s", t, text)
		}
	}
	return nil
}

// HasFile checks that a file is there and holds the given texts.
func (r *Repository) HasFile(path string, texts ...string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		content, ok := r.Read(path)
		if !ok {
			return fmt.Errorf("%s is not in the repository", path)
		}
		if err := TextHas(content, texts, nil); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
}

// HasNoFile checks that a file is not there.
func (r *Repository) HasNoFile(path string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		if _, ok := r.Read(path); ok {
			return fmt.Errorf("%s is still in the repository", path)
		}
		return nil
	}
}

func lines(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
}

// Messages are the messages of all commits on the branch.
func (r *Repository) Messages() string {
	r.env.T.Helper()
	r.Pull()
	return r.git("log", "--format=%an %ae %cn %ce%n%B")
}

// Commits are the commits that touch some paths, each with its summary, the
// newest first. It may be called beside a test.
func (r *Repository) Commits(pathspecs ...string) ([]string, error) {
	if out, err := r.run("fetch", "--quiet", "origin"); err != nil {
		return nil, fmt.Errorf("git fetch: %w\n%s", err, out)
	}
	out, err := r.run(append([]string{"log", "--format=%h %s", "@{upstream}", "--"}, pathspecs...)...)
	if err != nil {
		return nil, fmt.Errorf("git log: %w\n%s", err, out)
	}
	return lines(out), nil
}

// Files are the files at the tip that match one of the patterns, path to content.
func (r *Repository) Files(pathspecs ...string) map[string]string {
	r.env.T.Helper()
	r.Pull()
	files := map[string]string{}
	for _, path := range lines(r.git(append([]string{"ls-files", "--"}, pathspecs...)...)) {
		data, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(path)))
		if err != nil {
			r.env.T.Fatal(err)
		}
		files[path] = string(data)
	}
	return files
}

// Fsck checks every object of the clone.
func (r *Repository) Fsck() error {
	if out, err := r.run("fsck", "--full", "--strict"); err != nil {
		return fmt.Errorf("git fsck: %w\n%s", err, out)
	}
	return nil
}
