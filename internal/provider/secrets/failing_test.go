package secrets_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/acctest"
)

// failure is a run that fails, with secrets in what it is given.
type failure struct {
	resource string
	with     map[string]any
	secrets  []string
	want     string // in what terraform says
}

// TestAccSecrets_failing: no diagnostic and no log of a run that fails shows a
// secret.
func TestAccSecrets_failing(t *testing.T) {
	e := acctest.New(t)
	e.BuildNamespace()
	cli := buildProvider(t)
	for name, f := range failures(t, e) {
		t.Run(name, func(t *testing.T) {
			c := canaries{}
			for i, secret := range f.secrets {
				c[fmt.Sprintf("secret %d of %s", i+1, name)] = secret
			}
			w := newWorkspace(t, cli, "failing", c)
			variables := map[string]any{"name": e.Name, "package": e.Package(), "resource": f.resource, "build": buildCluster(e)}
			maps.Copy(variables, f.with)
			w.variables(variables)
			out, err := w.run("apply", "-auto-approve", "-input=false")
			w.search()
			said := strings.Join(strings.Fields(out), " ") // Terraform breaks lines where it likes
			if err == nil || !regexp.MustCompile(`Error: .*(`+f.want+`)`).MatchString(said) {
				t.Errorf("want an error about %q, got %v\n%s", f.want, err, out)
			}
			if state, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate")); err == nil {
				c.absent(t, "the state", string(state))
			}
		})
	}
}

func buildCluster(e *acctest.Env) any {
	return map[string]any{"config_path": e.Lab.Build.Kubeconfig}
}

func failures(t *testing.T, e *acctest.Env) map[string]failure {
	ca := gitCA(t, e.Lab)
	git := func(http map[string]any) map[string]any {
		http["certificate_authority"] = ca
		return map[string]any{"url": e.Lab.Git.URL, "http": http}
	}
	staging := func(more map[string]any) map[string]any {
		run := map[string]any{"host": e.Lab.Staging.Server, "cluster_ca_certificate": string(e.Lab.Staging.CA)}
		maps.Copy(run, more)
		return run
	}
	const install, namespace, secret, ephemeral = "package_install", "run_namespace", "kubeconfig_secret", "ephemeral"
	all := map[string]failure{}
	one := func(name, resource, want string, with func(s string) map[string]any) {
		s := rand.Text() + rand.Text()
		all[name] = failure{resource, with(s), []string{s}, want}
	}
	one("wrong Git password", install, "Git server refused the credentials", func(s string) map[string]any {
		return map[string]any{"git": git(map[string]any{"username": e.Lab.Git.Username, "password": s})}
	})
	one("wrong Git token", install, "Git server refused the credentials", func(s string) map[string]any {
		return map[string]any{"git": git(map[string]any{"bearer_token": s})}
	})
	one("password in the Git URL", install, "git.url", func(s string) map[string]any {
		return map[string]any{"git": map[string]any{"url": "https://ci:" + s + "@git.example.com/r.git"}}
	})
	one("token in the Git URL", install, "git.url", func(s string) map[string]any {
		return map[string]any{"git": map[string]any{"url": "https://" + s + "@git.example.com/r.git"}}
	})
	one("OpenPGP key that is none", install, "git.signing.open_pgp_key", func(s string) map[string]any {
		return map[string]any{"git": signed(git, map[string]any{"open_pgp_key": "-----BEGIN PGP PRIVATE KEY BLOCK-----\n" + s, "open_pgp_passphrase": s})}
	})
	one("SSH key to sign with that is none", install, "git.signing.ssh_key", func(s string) map[string]any {
		return map[string]any{"git": signed(git, map[string]any{"ssh_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n" + s, "ssh_passphrase": s})}
	})
	echo, echoCA := echoes(t)
	for form, server := range echo {
		one("Git server that echoes a password in "+form, install, "Git server refused the credentials", func(s string) map[string]any {
			return map[string]any{"git": map[string]any{"url": server + "/r.git", "http": map[string]any{"username": "ci", "password": s, "certificate_authority": echoCA}}}
		})
		one("Git server that echoes a token in "+form, install, "Git server refused the credentials", func(s string) map[string]any {
			return map[string]any{"git": map[string]any{"url": server + "/r.git", "http": map[string]any{"bearer_token": s, "certificate_authority": echoCA}}}
		})
		want := "lack a right|forbidden"
		if form == "a redirect" {
			want = "An API server redirects nobody"
		}
		for _, resource := range []string{namespace, ephemeral} {
			one("API server that echoes a token in "+form+" for "+resource, resource, want, func(s string) map[string]any {
				return map[string]any{"run": map[string]any{"host": server, "cluster_ca_certificate": echoCA, "token": s}}
			})
			one("API server that echoes a password in "+form+" for "+resource, resource, want, func(s string) map[string]any {
				return map[string]any{"run": map[string]any{"host": server, "cluster_ca_certificate": echoCA, "username": "ci", "password": s}}
			})
		}
	}
	one("GitHub App key that is none", install, "git.http.github_app.private_key", func(s string) map[string]any {
		return map[string]any{"git": git(map[string]any{"github_app": map[string]any{"id": "1", "private_key": "-----BEGIN RSA PRIVATE KEY-----\n" + s}})}
	})
	one("Git client key that is none", install, "git.http.client_key", func(s string) map[string]any {
		key := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte(s)})
		return map[string]any{"git": git(map[string]any{"client_certificate": ca, "client_key": string(key)})}
	})
	for form, server := range echo {
		one("forge that echoes a token in "+form, "pull_request", "refuses the token|redirects|not the API", func(s string) map[string]any {
			c := git(map[string]any{})
			c["push_branch"], c["forge"] = "secrets-"+e.Name, map[string]any{"kind": "gitea", "api_url": server, "token": s}
			c["http"] = map[string]any{"username": e.Lab.Git.Username, "password": e.Lab.Git.Password, "certificate_authority": ca + echoCA}
			return map[string]any{"git": c}
		})
	}
	one("two Git credentials", install, "git.http", func(s string) map[string]any {
		return map[string]any{"git": git(map[string]any{"username": "ci", "password": s, "bearer_token": s})}
	})
	one("SSH key that is none", install, "git.ssh.private_key", func(s string) map[string]any {
		key := pem.EncodeToMemory(&pem.Block{Type: "OPENSSH PRIVATE KEY", Bytes: []byte(s)})
		return map[string]any{"git": map[string]any{"url": "ssh://git@127.0.0.1:1/r.git", "ssh": map[string]any{"private_key": string(key), "password": s, "known_hosts": ""}}}
	})
	one("values that are no object", install, "must be an object", func(s string) map[string]any {
		return map[string]any{"git": git(map[string]any{"username": e.Lab.Git.Username, "password": e.Lab.Git.Password}), "values": s}
	})
	good := func(more map[string]any) map[string]any {
		more["git"] = git(map[string]any{"username": e.Lab.Git.Username, "password": e.Lab.Git.Password})
		return more
	}
	one("write-only values that are no object", install, "must be an object", func(s string) map[string]any {
		return good(map[string]any{"values_wo": s})
	})
	for name, text := range map[string]string{
		"with a ytt comment": "a: SECRET\n#@ SECRET", "that is none": "a: [SECRET", "with a key twice": "a: SECRET\na: SECRET", "with a list": "- SECRET",
		"with a tag": "a: !SECRET SECRET", "with an alias of nothing": "a: *SECRET", "with a bad escape": `a: "\q SECRET"`, "with a bad character": "a: SECRET\x01",
	} {
		one("values YAML "+name, install, "Invalid values_yaml", func(s string) map[string]any {
			return good(map[string]any{"values_yaml": []string{strings.ReplaceAll(text, "SECRET", s)}})
		})
	}
	one("write-only values that cannot be written", install, "1.8e308", func(s string) map[string]any {
		return good(map[string]any{"values_wo": map[string]any{"a": s, "b": json.Number("1" + strings.Repeat("0", 400))}})
	})
	one("wrong cluster token", namespace, "refused the credentials|Unauthorized", func(s string) map[string]any {
		return map[string]any{"run": staging(map[string]any{"token": s})}
	})
	one("wrong cluster password", namespace, "Unable to create", func(s string) map[string]any {
		return map[string]any{"run": staging(map[string]any{"username": "admin", "password": s})}
	})
	one("wrong cluster token for a kubeconfig", ephemeral, "refused the credentials|Unauthorized", func(s string) map[string]any {
		return map[string]any{"run": staging(map[string]any{"token": s})}
	})
	one("unreachable cluster", namespace, "did not answer", func(s string) map[string]any {
		return map[string]any{"timeout": "2s", "run": map[string]any{"host": "https://127.0.0.1:1", "token": s}}
	})
	one("cluster that hangs up", ephemeral, "did not answer|Unable to request", func(s string) map[string]any {
		return map[string]any{"timeout": "2s", "run": map[string]any{"host": "https://" + hangsUp(t), "token": s}}
	})
	one("client key that is none", namespace, `run_clusters\["staging"\]`, func(s string) map[string]any {
		key := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: []byte(s)})
		return map[string]any{"run": staging(map[string]any{"client_certificate": string(e.Lab.Staging.CA), "client_key": string(key)})}
	})
	one("proxy that is none", namespace, "proxy_url", func(s string) map[string]any {
		return map[string]any{"run": staging(map[string]any{"token": "t", "proxy_url": "http://ci:" + s + "@proxy:port"})}
	})
	one("cluster kubeconfig that is none", namespace, "kubeconfig", func(s string) map[string]any {
		return map[string]any{"run": map[string]any{"kubeconfig": s + ": ["}}
	})
	one("plugin that fails", namespace, "plugin|exec|executable", func(s string) map[string]any {
		return map[string]any{"run": staging(map[string]any{"exec": map[string]any{
			"api_version": "client.authentication.k8s.io/v1", "command": "/bin/false", "env": map[string]any{"PLUGIN_SECRET": s},
		}})}
	})
	for attribute, text := range map[string]func(string) string{
		"with a plugin": func(s string) string {
			return refused("token: " + s + ", exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never, env: [{name: S, value: " + s + "}]}")
		},
		"that names files": func(s string) string { return refused("password: " + s + ", username: u, tokenFile: /t") },
		"that is none":     func(s string) string { return s + ": [" },
		"of another kind":  func(s string) string { return "{apiVersion: v1, kind: Secret, stringData: {token: " + s + "}}" },
	} {
		for _, source := range []string{"kubeconfig", "kubeconfig_wo"} {
			one(source+" "+attribute, secret, "cannot be used", func(s string) map[string]any { return map[string]any{source: text(s)} })
		}
	}
	reads := git(map[string]any{"username": e.Lab.Git.Username, "password": e.Lab.Git.Password})
	for name, failure := range map[string]struct{ kind, before, want string }{
		"App with a wrong Git password":    {"password", "", "fetch stage.*Authentication failed"},
		"App with an SSH key for https":    {"ssh", "-----BEGIN ", "do not fit the repository"},
		"App with an SSH key that is none": {"ssh", "", "does not begin with"},
		"App with an age key that is none": {"age", "", "no line begins with"},
	} {
		one(name, "app", failure.want, func(s string) map[string]any {
			return map[string]any{"git": reads, "app_kind": failure.kind, "app_secret": failure.before + s}
		})
	}
	one("kubeconfig for a namespace that is not there", secret, "not found", func(s string) map[string]any {
		return map[string]any{"namespace": e.Name + "-nosuch", "kubeconfig_wo": kubeconfigWith(s)}
	})
	return all
}

func refused(user string) string {
	return `{current-context: c, clusters: [{name: c, cluster: {server: "https://c.example.com"}}], users: [{name: c, user: {` + user + `}}], contexts: [{name: c, context: {cluster: c, user: c}}]}`
}

// hangsUp is the address of a server that ends each connection.
func hangsUp(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return listener.Addr().String()
}

// signed is a Git configuration with a key to sign with.
func signed(git func(map[string]any) map[string]any, signing map[string]any) map[string]any {
	config := git(map[string]any{"bearer_token": "t"})
	config["signing"] = signing
	return config
}

// echoes are the URLs of servers that refuse everything and give back what they
// were sent, by the form in which they do, and their authority.
func echoes(t *testing.T) (servers map[string]string, ca string) {
	t.Helper()
	servers = map[string]string{}
	for form, answer := range map[string]func(w http.ResponseWriter, r *http.Request, given string){
		"a text": func(w http.ResponseWriter, _ *http.Request, given string) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintln(w, "forbidden: "+given)
		},
		"a status": func(w http.ResponseWriter, _ *http.Request, given string) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusForbidden)
			_ = json.NewEncoder(w).Encode(map[string]any{
				"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": http.StatusForbidden, "message": "forbidden: " + given,
			})
		},
		"a redirect": func(w http.ResponseWriter, r *http.Request, given string) {
			if strings.HasPrefix(r.URL.Path, "/given/") {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintln(w, "forbidden: "+r.URL.String())
				return
			}
			http.Redirect(w, r, "https://"+r.Host+"/given/"+url.PathEscape(given)+"?given="+url.QueryEscape(given), http.StatusFound)
		},
	} {
		server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			header := r.Header.Get("Authorization")
			given := "you sent " + header
			if user, password, ok := r.BasicAuth(); ok {
				given += " that is " + user + ":" + password
			}
			answer(w, r, given+" and "+url.QueryEscape(given)+" and "+base64.StdEncoding.EncodeToString([]byte(given)))
		}))
		t.Cleanup(server.Close)
		servers[form] = server.URL
		ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	}
	return servers, ca
}
