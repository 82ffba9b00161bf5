// Package demo shows the quickstart, stage by stage, in a lab of its own: what
// is delivered to the run clusters, that a second plan is empty, that the Apps
// have no rights but those of their Roles, that a new version arrives, and that
// nothing is left in the end.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/lab"
)

// The versions of the Package that the lab's repository holds.
const (
	firstVersion = "20230321004057.0.0"
	nextVersion  = "20230402120000.0.0"
)

// Options say how the demonstration runs.
type Options struct {
	// Out gets the stages.
	Out io.Writer
	// Keep is called after the last stage, or after the one that failed, with
	// the directory of the configuration and the variables, KEY=VALUE, to go on
	// with by hand. The lab then runs until ctx ends. Nil stops it at once.
	Keep func(dir string, variables []string)
}

// demonstration is what the stages work with.
type demonstration struct {
	story     *story
	lab       *lab.Lab
	terraform *terraform
	before    []inventory
}

// Run goes through the stages. When it returns, the lab is down and no
// directory is left, also after an error and when ctx has ended.
func Run(ctx context.Context, options Options) (err error) {
	dir, err := os.MkdirTemp("", "carvel-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	d := &demonstration{story: newStory(options.Out)}
	d.terraform = newTerraform(dir, d.story)
	if err := d.story.stage("Build the provider", func() error { return d.terraform.prepare(ctx) }); err != nil {
		return err
	}
	err = d.story.stage("Start three clusters, a Git server and the stand-in for kapp-controller", func() error {
		var err error
		d.lab, err = lab.Start(ctx, lab.Options{Log: d.story.detail()})
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.lab.Stop()) }()
	d.terraform.use(d.lab)
	err = d.watched(ctx)
	if options.Keep == nil || ctx.Err() != nil {
		return err
	}
	if err != nil {
		fmt.Fprintln(options.Out, err)
	}
	options.Keep(d.terraform.config, append(d.lab.Exports(), d.terraform.variables...))
	return errors.Join(err, d.lab.Wait(ctx))
}

// watched goes through the stages that need the lab and gives up when a part
// of it ends.
func (d *demonstration) watched(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() { cancel(d.lab.Wait(ctx)) }()
	err := d.stages(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	if err == nil {
		d.story.end()
	}
	return err
}

func (d *demonstration) stages(ctx context.Context) error {
	for _, s := range []struct {
		title string
		run   func(context.Context) error
	}{
		{"terraform init, from a filesystem mirror", d.init},
		{"terraform apply: version " + firstVersion + " to staging and prod", func(ctx context.Context) error { return d.apply(ctx, firstVersion) }},
		{"What the run clusters have", func(ctx context.Context) error { return d.delivered(ctx, firstVersion) }},
		{"What the Apps may do on the run clusters", d.rights},
		{"terraform plan: nothing to do", d.unchanged},
		{"terraform apply: version " + nextVersion, func(ctx context.Context) error { return d.apply(ctx, nextVersion) }},
		{"What the run clusters have", func(ctx context.Context) error { return d.delivered(ctx, nextVersion) }},
		{"terraform destroy", d.destroy},
		{"What is left", d.left},
	} {
		if err := d.story.stage(s.title, func() error { return s.run(ctx) }); err != nil {
			return err
		}
	}
	return nil
}
