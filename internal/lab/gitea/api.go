package gitea

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Do calls the API, below /api/v1, as a user. body and into may be nil.
func (s *Server) Do(ctx context.Context, as User, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, s.URL()+"/api/v1"+path, sent)
	if err != nil {
		return err
	}
	request.SetBasicAuth(as.Name, as.Password)
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	case into == nil:
		return nil
	}
	return json.Unmarshal(answer, into)
}

var clients sync.Map // of a server

func (s *Server) client() *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(s.ca))
	made, _ := clients.LoadOrStore(s, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}})
	client, _ := made.(*http.Client)
	return client
}

// CreateUser makes an account without rights.
func (s *Server) CreateUser(ctx context.Context, prefix string) (User, error) {
	u := User{Name: unique(prefix), Password: secret()}
	return u, s.Do(ctx, s.Admin, http.MethodPost, "/admin/users", map[string]any{
		"username": u.Name, "email": u.Name + "@example.com", "password": u.Password, "must_change_password": false,
	}, nil)
}

// Token makes an access token of a user with these scopes, such as write:repository.
func (s *Server) Token(ctx context.Context, of User, scopes ...string) (string, error) {
	var token struct {
		SHA1 string `json:"sha1"`
	}
	err := s.Do(ctx, of, http.MethodPost, "/users/"+of.Name+"/tokens", map[string]any{"name": unique("token"), "scopes": scopes}, &token)
	return token.SHA1, err
}

// Repository is one of an organization.
type Repository struct {
	server      *Server
	Owner, Name string
}

// CreateRepository makes a repository of a new organization, with the branch main and these files in one commit.
func (s *Server) CreateRepository(ctx context.Context, files map[string]string) (*Repository, error) {
	r := &Repository{server: s, Owner: unique("org"), Name: "gitops"}
	if err := s.Do(ctx, s.Admin, http.MethodPost, "/orgs", map[string]any{"username": r.Owner}, nil); err != nil {
		return nil, err
	}
	err := s.Do(ctx, s.Admin, http.MethodPost, "/orgs/"+r.Owner+"/repos", map[string]any{
		"name": r.Name, "auto_init": true, "default_branch": "main", "private": true,
	}, nil)
	if err != nil || len(files) == 0 {
		return r, err
	}
	return r, r.Commit(ctx, "main", files)
}

// URL for Git over HTTPS.
func (r *Repository) URL() string { return r.server.URL() + "/" + r.Owner + "/" + r.Name + ".git" }

// SSHURL for Git over SSH.
func (r *Repository) SSHURL() string {
	return "ssh://git@" + r.server.SSH + "/" + r.Owner + "/" + r.Name + ".git"
}

// Do calls the API below the repository as the administrator.
func (r *Repository) Do(ctx context.Context, method, path string, body, into any) error {
	return r.server.Do(ctx, r.server.Admin, method, "/repos/"+r.Owner+"/"+r.Name+path, body, into)
}

// Collaborate gives a user a right: read, write or admin.
func (r *Repository) Collaborate(ctx context.Context, u User, right string) error {
	return r.Do(ctx, http.MethodPut, "/collaborators/"+u.Name, map[string]any{"permission": right}, nil)
}

// Protect sets the rule of a branch: https://docs.gitea.com/api/ createBranchProtection.
func (r *Repository) Protect(ctx context.Context, branch string, rule map[string]any) error {
	rule["rule_name"] = branch
	return r.Do(ctx, http.MethodPost, "/branch_protections", rule, nil)
}

// Commit writes files to a branch as somebody else does; an empty text deletes one.
func (r *Repository) Commit(ctx context.Context, branch string, files map[string]string) error {
	type change struct {
		Operation string `json:"operation"`
		Path      string `json:"path"`
		Content   string `json:"content"`
		SHA       string `json:"sha,omitempty"`
	}
	var changes []change
	for path, text := range files {
		c := change{Operation: "create", Path: path, Content: base64.StdEncoding.EncodeToString([]byte(text))}
		var there struct {
			SHA string `json:"sha"`
		}
		if r.Do(ctx, http.MethodGet, "/contents/"+path+"?ref="+branch, nil, &there) == nil {
			c.Operation, c.SHA = "update", there.SHA
		}
		if text == "" {
			c.Operation, c.Content = "delete", ""
		}
		changes = append(changes, c)
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.Path, b.Path) })
	return r.Do(ctx, http.MethodPost, "/contents", map[string]any{"branch": branch, "message": "somebody else's change", "files": changes}, nil)
}

// File is the content of a file at a branch; ok is false if there is none.
func (r *Repository) File(ctx context.Context, branch, path string) (text string, ok bool) {
	var there struct {
		Content string `json:"content"`
	}
	if r.Do(ctx, http.MethodGet, "/contents/"+path+"?ref="+branch, nil, &there) != nil {
		return "", false
	}
	data, err := base64.StdEncoding.DecodeString(there.Content)
	return string(data), err == nil
}

// Head is the commit that a branch is at; empty: there is no such branch.
func (r *Repository) Head(ctx context.Context, branch string) string {
	var found struct {
		Commit struct {
			ID string `json:"id"`
		} `json:"commit"`
	}
	if r.Do(ctx, http.MethodGet, "/branches/"+strings.ReplaceAll(branch, "/", "%2F"), nil, &found) != nil {
		return ""
	}
	return found.Commit.ID
}
