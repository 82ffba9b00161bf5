package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

func (d *demonstration) init(ctx context.Context) error {
	if err := d.terraform.run(ctx, "init"); err != nil {
		return err
	}
	var err error
	d.before, err = d.inventories(ctx)
	return err
}

func (d *demonstration) apply(ctx context.Context, version string) error {
	return d.terraform.run(ctx, "apply", "-auto-approve", "-var=version_constraint="+version)
}

func (d *demonstration) unchanged(ctx context.Context) error {
	return d.terraform.run(ctx, "plan", "-detailed-exitcode")
}

func (d *demonstration) destroy(ctx context.Context) error {
	// A destroy begins with a plan, and the default would be a downgrade.
	return d.terraform.run(ctx, "destroy", "-auto-approve", "-var=version_constraint="+nextVersion)
}

func (d *demonstration) runClusters() []lab.Cluster { return []lab.Cluster{d.lab.Staging, d.lab.Prod} }

// left compares the clusters with what they held at first, and shows the files
// of the repository.
func (d *demonstration) left(ctx context.Context) error {
	after, err := d.inventories(ctx)
	if err != nil {
		return err
	}
	for i, cluster := range d.lab.Clusters() {
		if more := after[i].without(d.before[i]); len(more) > 0 {
			return fmt.Errorf("cluster %s still has\n%s", cluster.Name, strings.Join(more, "\n"))
		}
		if fewer := d.before[i].without(after[i]); len(fewer) > 0 {
			return fmt.Errorf("cluster %s has lost\n%s", cluster.Name, strings.Join(fewer, "\n"))
		}
		d.story.line(fmt.Sprintf("%-8s the %d objects that it had at first", cluster.Name, len(after[i])))
	}
	files, err := d.repositoryFiles(ctx)
	if err != nil {
		return err
	}
	for i, file := range files {
		label := ""
		if i == 0 {
			label = "Git"
		}
		d.story.line(fmt.Sprintf("%-8s %s", label, file))
		for _, cluster := range d.runClusters() {
			if dir := "/" + cluster.Name + "/"; strings.Contains(file, dir) && !strings.HasSuffix(file, dir+".gitkeep") {
				return fmt.Errorf("%s is still in the repository", file)
			}
		}
	}
	return nil
}
