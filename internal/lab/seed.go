package lab

import (
	"context"
	"embed"
	"strings"
)

// seed holds the GitOps repository as a supply chain would have left it: the
// versions of one Package, and no directory of a run cluster.
//
//go:embed seed/README.md seed/package.yaml
var seed embed.FS

const (
	seededPackage = "app.default.tap"
	// buildNamespace is where the build cluster keeps its Apps.
	buildNamespace = "dev"
	// credentialsSecret is what an App's Git secretRef names.
	credentialsSecret = "gitops-credentials"
)

// seededVersions are the versions of the Package, oldest first.
var seededVersions = []string{"20230321004057.0.0", "20230402120000.0.0"}

// seedFiles returns the content of the repository by path.
func seedFiles() map[string]string {
	files := map[string]string{"README.md": mustRead("seed/README.md")}
	for _, version := range seededVersions {
		text := strings.ReplaceAll(mustRead("seed/package.yaml"), "VERSION", version)
		files[seededPackage+"/packages/"+version+".yaml"] = text
	}
	return files
}

func mustRead(name string) string {
	text, err := seed.ReadFile(name)
	if err != nil {
		panic(err) // the name is not one of those embedded above
	}
	return string(text)
}

// seedBuildCluster makes what an administrator would have made: the namespace
// of the Apps, the credential for the repository in it, and the authority that
// the controller verifies the Git server with.
func (l *Lab) seedBuildCluster(ctx context.Context, c *cluster) error {
	for _, namespace := range []string{buildNamespace, "kapp-controller"} {
		if err := c.create(ctx, namespaceResource, object("v1", "Namespace", "", namespace)); err != nil {
			return err
		}
	}
	credentials := object("v1", "Secret", buildNamespace, credentialsSecret)
	credentials.Object["type"] = "kubernetes.io/basic-auth"
	credentials.Object["stringData"] = map[string]any{"username": l.Git.Username, "password": l.Git.Password}
	if err := c.create(ctx, secretResource, credentials); err != nil {
		return err
	}
	config := object("v1", "Secret", "kapp-controller", "kapp-controller-config")
	config.Object["stringData"] = map[string]any{"caCerts": l.gitCA}
	return c.create(ctx, secretResource, config)
}
