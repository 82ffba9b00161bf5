package gitserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const homeName = ".home"

// Config choices for CreateRepository.
const (
	// AllowFilter lets clients fetch parts of the repository.
	AllowFilter = "uploadpack.allowFilter=true"
	// AllowAnySHA1InWant lets clients ask for any object by its id.
	AllowAnySHA1InWant = "uploadpack.allowAnySHA1InWant=true"
)

// CreateRepository makes an empty bare repository with the default branch main that can be pushed to.
// Each config is KEY=VALUE, for example AllowFilter.
func (s *Server) CreateRepository(name string, config ...string) error {
	if _, err := s.run("", nil, "init", "--quiet", "--bare", "--initial-branch=main", "--template=", s.RepositoryDir(name)); err != nil {
		return err
	}
	defaults := []string{"http.receivepack=true", "gc.auto=0", "receive.autogc=false"}
	for _, setting := range append(defaults, config...) {
		key, value, found := strings.Cut(setting, "=")
		if !found {
			return fmt.Errorf("config %q is not KEY=VALUE", setting)
		}
		if _, err := s.Git(name, nil, "config", key, value); err != nil {
			return err
		}
	}
	return nil
}

// RepositoryDir is the directory of a bare repository.
func (s *Server) RepositoryDir(name string) string {
	return filepath.Join(s.options.Dir, directory(name))
}

// SetHook writes a hook of the repository, for example pre-receive. An empty script removes it.
func (s *Server) SetHook(repo, hook, script string) error {
	path := filepath.Join(s.RepositoryDir(repo), "hooks", hook)
	if script == "" {
		return os.Remove(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// A process that starts meanwhile would have the file open for writing until it has
	// become another program, and the hook could not run: "text file busy".
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, []byte(script), 0o755)
}

// Git runs a git command on the repository, past HTTP, and returns what it printed.
func (s *Server) Git(repo string, stdin io.Reader, args ...string) (string, error) {
	return s.run(s.RepositoryDir(repo), stdin, args...)
}

// Seed commits files to the branch main past HTTP and returns the commit's id. Paths in remove are deleted, files or directories.
// A concurrent push is built upon, never overwritten.
func (s *Server) Seed(repo, message string, files map[string]string, remove ...string) (string, error) {
	var err error
	for range 20 {
		if err = s.seed(repo, message, files, remove); err == nil {
			commit, err := s.Git(repo, nil, "rev-parse", "refs/heads/main")
			return strings.TrimSpace(commit), err
		}
	}
	return "", err
}

func (s *Server) seed(repo, message string, files map[string]string, remove []string) error {
	var in bytes.Buffer
	fmt.Fprintf(&in, "commit refs/heads/main\ncommitter Somebody Else <somebody@example.com> now\ndata %d\n%s\n", len(message), message)
	if tip, err := s.Git(repo, nil, "rev-parse", "--verify", "--quiet", "refs/heads/main"); err == nil {
		fmt.Fprintf(&in, "from %s\n", strings.TrimSpace(tip))
	}
	for _, path := range remove {
		fmt.Fprintf(&in, "D %s\n", strconv.Quote(path))
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&in, "M 100644 inline %s\ndata %d\n%s\n", strconv.Quote(path), len(files[path]), files[path])
	}
	_, err := s.Git(repo, &in, "fast-import", "--quiet", "--date-format=now")
	return err
}

// Files returns the content of every file at a revision by path. A submodule's content is its commit's id.
func (s *Server) Files(repo, rev string) (map[string]string, error) {
	listing, err := s.Git(repo, nil, "ls-tree", "-r", "-z", rev)
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	var paths []string
	var ids strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(listing, "\x00"), "\x00") {
		meta, path, found := strings.Cut(line, "\t")
		fields := strings.Fields(meta)
		if !found || len(fields) != 3 {
			continue
		}
		if fields[1] == "commit" {
			files[path] = fields[2]
			continue
		}
		paths = append(paths, path)
		fmt.Fprintln(&ids, fields[2])
	}
	out, err := s.Git(repo, strings.NewReader(ids.String()), "cat-file", "--batch")
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		header, rest, _ := strings.Cut(out, "\n")
		size, err := strconv.Atoi(header[strings.LastIndexByte(header, ' ')+1:])
		if err != nil || size+1 > len(rest) {
			return nil, fmt.Errorf("git cat-file: unexpected answer %q for %s", header, path)
		}
		files[path], out = rest[:size], rest[size+1:]
	}
	return files, nil
}

func (s *Server) run(dir string, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(s.ctx, s.git, args...)
	cmd.Dir = dir
	cmd.Env = s.environment()
	cmd.Stdin = stdin
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(exit.Stderr))
	}
	return string(out), err
}

// environment of the git processes: nothing of the machine's or the caller's Git configuration.
func (s *Server) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + filepath.Join(s.options.Dir, homeName),
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=Somebody Else", "GIT_AUTHOR_EMAIL=somebody@example.com",
		"GIT_COMMITTER_NAME=Somebody Else", "GIT_COMMITTER_EMAIL=somebody@example.com",
	}
}
