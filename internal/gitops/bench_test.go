package gitops

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab/gitserver"
)

// benchServer holds a repository with files/80 packages of 40 clusters with two files each.
func benchServer(b *testing.B, files int) (*gitserver.Server, Config) {
	b.Helper()
	server, err := gitserver.Start(gitserver.Options{Dir: b.TempDir(), Insecure: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	if err := server.CreateRepository(repository, gitserver.AllowFilter, gitserver.AllowAnySHA1InWant); err != nil {
		b.Fatal(err)
	}
	var in bytes.Buffer
	fmt.Fprint(&in, "commit refs/heads/main\ncommitter A <a@example.com> now\ndata 1\nx\n")
	for i := range files {
		content := fmt.Sprintf("package: %d\nvalue: %d\n", i/80, i)
		fmt.Fprintf(&in, "M 100644 inline package-%d/cluster-%d/%d.yaml\ndata %d\n%s\n", i/80, i/2%40, i%2, len(content), content)
	}
	if _, err := server.Git(repository, &in, "fast-import", "--quiet", "--date-format=now"); err != nil {
		b.Fatal(err)
	}
	return server, Config{URL: server.URL(repository), HTTP: HTTPAuth{AllowInsecure: true}}
}

func benchEngine(b *testing.B, config Config) *Engine {
	b.Helper()
	t, err := config.normalize()
	if err != nil {
		b.Fatal(err)
	}
	return newEngine(t)
}

// BenchmarkColdWrite changes two files from nothing: this engine, and git without a checkout.
func BenchmarkColdWrite(b *testing.B) {
	for _, files := range []int{1000, 20000} {
		server, config := benchServer(b, files)
		b.Run(fmt.Sprintf("engine/%d", files), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				e := benchEngine(b, config)
				if _, err := e.Apply(b.Context(), Change{Summary: "x", Edits: []Edit{
					write("package-1/cluster-1/0.yaml", fmt.Sprint("a", i)), write("package-1/cluster-1/1.yaml", fmt.Sprint("b", i)),
				}}); err != nil {
					b.Fatal(err)
				}
				e.remote.close()
			}
		})
		b.Run(fmt.Sprintf("git/%d", files), func(b *testing.B) {
			home := b.TempDir()
			for i := 0; b.Loop(); i++ {
				dir := filepath.Join(home, fmt.Sprint(i))
				gitWrite(b, server.URL(repository), dir, fmt.Sprint("c", i))
				_ = os.RemoveAll(dir)
			}
		})
	}
}

func gitWrite(b *testing.B, url, dir, content string) {
	b.Helper()
	script := `set -e
git clone -q --depth 1 --filter=blob:none --no-checkout "$1" "$2"; cd "$2"; git read-tree HEAD
for f in 0 1; do
  id=$(printf %s "$3$f" | git hash-object -w --stdin); git update-index --cacheinfo "100644,$id,package-1/cluster-1/$f.yaml"
done
git update-ref refs/heads/main "$(git commit-tree -p HEAD -m x "$(git write-tree --missing-ok)")"; git -c gc.auto=0 push -q origin main`
	cmd := exec.Command("sh", "-c", script, "sh", url, dir, content)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(dir), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com",
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

// BenchmarkWarmWrite changes one file again and again in one engine.
func BenchmarkWarmWrite(b *testing.B) {
	_, config := benchServer(b, 20000)
	e := benchEngine(b, config)
	defer e.remote.close()
	for i := 0; b.Loop(); i++ {
		if _, err := e.Apply(b.Context(), Change{Summary: "x", Edits: []Edit{write("package-1/cluster-1/0.yaml", fmt.Sprint(i))}}); err != nil {
			b.Fatal(err)
		}
	}
}
