package standin

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// gitAuth is how one fetch identifies itself.
type gitAuth struct {
	username, password     string
	privateKey, knownHosts string
}

// fetchGit fetches one commit and moves its subPath to the path to.
func (r *appRun) fetchGit(ctx context.Context, g gitFetch, scratch, to string) (locked, error) {
	content, err := r.cloneGit(ctx, g, scratch)
	if err != nil {
		return nil, said("Syncing directory '.' with git contents: %w", err)
	}
	if err := extractSubPath(filepath.Join(scratch, "repo"), g.SubPath, to); err != nil {
		return nil, said("Changing to new root path '.': %w", err)
	}
	return locked{"git": content}, nil
}

func (r *appRun) cloneGit(ctx context.Context, g gitFetch, scratch string) (locked, error) {
	if g.RefSelection != nil {
		return nil, errors.New("the stand-in does not support refSelection")
	}
	if g.Ref == "" {
		return nil, said("Expected either ref or ref selection to be specified")
	}
	var auth gitAuth
	if g.SecretRef != nil {
		data, err := r.c.keyedData(ctx, secretsGVR.Resource, key{r.key.namespace, g.SecretRef.Name})
		if err != nil {
			return nil, err
		}
		if auth, err = gitAuthFrom(g.SecretRef.Name, data); err != nil {
			return nil, err
		}
	}
	cli, err := r.newGitCLI(ctx, g, auth, scratch)
	if err != nil {
		return nil, err
	}
	content, err := cli.fetch(ctx, g)
	if err != nil {
		return nil, said("Fetching git repository: %w", err)
	}
	return content, nil
}

func gitAuthFrom(secret string, data map[string]string) (gitAuth, error) {
	var auth gitAuth
	for _, name := range slices.Sorted(maps.Keys(data)) {
		switch name {
		case "username":
			auth.username = data[name]
		case "password":
			auth.password = data[name]
		case "ssh-privatekey":
			auth.privateKey = data[name]
		case "ssh-knownhosts":
			auth.knownHosts = data[name]
		default:
			return auth, said("Unknown secret field '%s' in secret '%s'", name, secret)
		}
	}
	return auth, nil
}

// gitCLI runs git with an environment of its own: no configuration of the machine or
// of a user, and credentials only in variables and files, never in arguments.
type gitCLI struct {
	dir string
	env []string
}

// newGitCLI prepares scratch for a fetch of g. Credentials in the URL are taken out of it.
func (r *appRun) newGitCLI(ctx context.Context, g gitFetch, auth gitAuth, scratch string) (*gitCLI, error) {
	remote := g.URL
	if u, err := url.Parse(g.URL); err == nil && u.User != nil && (u.Scheme == "https" || u.Scheme == "http") {
		if auth.username == "" {
			auth.username = u.User.Username()
			auth.password, _ = u.User.Password()
		}
		u.User = nil
		remote = u.String()
	} else if g.SecretRef != nil && auth.username != "" && !strings.HasPrefix(g.URL, "https://") {
		return nil, said("Username/password authentication is only supported for https remotes")
	}
	repo := filepath.Join(scratch, "repo")
	if err := os.MkdirAll(repo, 0o700); err != nil {
		return nil, err
	}
	config := []string{
		"remote.origin.url", remote,
		"remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*",
		"remote.origin.tagOpt", "--tags",
	}
	if g.ForceHTTPBasicAuth && auth.username != "" {
		config = append(config, "http.extraHeader", "Authorization: Basic "+
			base64.StdEncoding.EncodeToString([]byte(auth.username+":"+auth.password)))
	}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + scratch, "LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
	}
	for i := 0; i < len(config); i += 2 {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i/2, config[i]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i/2, config[i+1]))
	}
	env = append(env, "GIT_CONFIG_COUNT="+strconv.Itoa(len(config)/2))
	if g.LFSSkipSmudge {
		env = append(env, "GIT_LFS_SKIP_SMUDGE=1")
	}
	authEnv, err := auth.environment(scratch)
	if err != nil {
		return nil, err
	}
	trustEnv, err := r.c.trustEnvironment(ctx, scratch)
	return &gitCLI{dir: repo, env: slices.Concat(env, authEnv, trustEnv)}, err
}

// environment writes the helpers that hand the credentials to git into scratch.
func (a gitAuth) environment(scratch string) ([]string, error) {
	var env []string
	if a.username != "" {
		const script = "#!/bin/sh\ncase \"$1\" in Username*) printf %s \"$STANDIN_USERNAME\";; *) printf %s \"$STANDIN_PASSWORD\";; esac\n"
		askpass := filepath.Join(scratch, "askpass")
		if err := os.WriteFile(askpass, []byte(script), 0o700); err != nil { //nolint:gosec // git executes it
			return nil, err
		}
		env = append(env, "GIT_ASKPASS="+askpass, "STANDIN_USERNAME="+a.username, "STANDIN_PASSWORD="+a.password)
	}
	if a.privateKey == "" {
		return env, nil
	}
	identity, hosts := filepath.Join(scratch, "identity"), filepath.Join(scratch, "known_hosts")
	if err := errors.Join(os.WriteFile(identity, []byte(a.privateKey), 0o600), os.WriteFile(hosts, []byte(a.knownHosts), 0o600)); err != nil {
		return nil, err
	}
	check := "yes"
	if a.knownHosts == "" {
		check = "no"
	}
	return append(env, fmt.Sprintf("GIT_SSH_COMMAND=ssh -F none -i '%s' -o IdentitiesOnly=yes -o UserKnownHostsFile='%s' -o StrictHostKeyChecking=%s",
		identity, hosts, check)), nil
}

// trustEnvironment adds the certificates of the controller's configuration, read anew
// for each fetch, to those of the machine.
func (c *controller) trustEnvironment(ctx context.Context, scratch string) ([]string, error) {
	data, err := c.keyedData(ctx, secretsGVR.Resource, key{"kapp-controller", "kapp-controller-config"})
	if isGone(err) || err == nil && data["caCerts"] == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	system, _ := os.ReadFile("/etc/ssl/certs/ca-certificates.crt") // other systems have theirs built in
	path := filepath.Join(scratch, "ca.crt")
	bundle := string(system) + "\n" + data["caCerts"] + "\n"
	return []string{"GIT_SSL_CAINFO=" + path}, os.WriteFile(path, []byte(bundle), 0o600)
}

func (g *gitCLI) run(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env = g.dir, g.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // git then ends its helpers
	cmd.WaitDelay = 2 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", said("Git %s: %w (stderr: %s)", args, err, stderr.String())
	}
	return strings.TrimSpace(stdout.String()), nil
}

// fetch checks out g.Ref. origin/X fetches X alone, anything else every branch.
func (g *gitCLI) fetch(ctx context.Context, spec gitFetch) (locked, error) {
	if _, err := g.run(ctx, "init", "--quiet"); err != nil {
		return nil, err
	}
	args, checkout := []string{"fetch", "origin"}, spec.Ref
	if branch, ok := strings.CutPrefix(spec.Ref, "origin/"); ok {
		args, checkout = append(args, branch), "FETCH_HEAD"
	}
	if spec.Depth == nil {
		args = append(args, "--depth", "1")
	} else if *spec.Depth > 0 {
		args = append(args, "--depth", strconv.FormatInt(*spec.Depth, 10))
	}
	if _, err := g.run(ctx, args...); err != nil {
		return nil, err
	}
	if _, err := g.run(ctx, "-c", "advice.detachedHead=false", "checkout", checkout); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(g.dir, ".gitmodules")); err == nil {
		if _, err := g.run(ctx, "submodule", "update", "--init", "--recursive"); err != nil {
			return nil, err
		}
	}
	head, err := g.run(ctx, "log", "-n", "1", "--format=%H%n%s")
	if err != nil {
		return nil, err
	}
	sha, title, _ := strings.Cut(head, "\n")
	content := locked{"sha": sha, "commitTitle": title}
	if tag, err := g.run(ctx, "describe", "--tags", sha); err == nil && tag != "" {
		content["tags"] = []string{tag}
	}
	return content, nil
}

// extractSubPath moves a directory of the repository to the path to. The empty subPath
// is the whole repository. A file is moved too, and so loses its name.
func extractSubPath(repo, subPath, to string) error {
	clean := filepath.Clean(strings.TrimLeft(subPath, "/"))
	if !filepath.IsLocal(clean) {
		return said("Invalid path: %s", subPath)
	}
	from := filepath.Join(repo, clean)
	if _, err := os.Lstat(from); err != nil {
		entries, err := os.ReadDir(repo)
		if err != nil {
			return err
		}
		var directories []string
		for _, e := range entries {
			if e.IsDir() && e.Name() != ".git" {
				directories = append(directories, e.Name())
			}
		}
		return said("Expected directory '%s' (subpath) to exist (found other directories: %s)",
			subPath, strings.Join(directories, ", "))
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(from, to)
}
