package packageinstall

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/installfiles"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/privatestate"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/providerdata"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/repolayout"
)

const onDestroyRemove, onDestroyOrphan = "remove", "orphan"

// onDestroy is the attribute on_destroy. It has no default value, so that a state without
// it is not planned to change.
func onDestroy(what, more string) schema.Attribute {
	return schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "What happens to the files when this resource is destroyed.\n" +
			"  - `" + onDestroyRemove + "` (the default): they are removed, and with them what they deploy.\n" +
			"  - `" + onDestroyOrphan + "`: they stay, and " + what + " on the run cluster with them.\n\n" +
			"  Apply a change before you destroy." + more,
		Validators: []validator.String{stringvalidator.OneOf(onDestroyRemove, onDestroyOrphan)},
	}
}

func isOrphaned(value types.String) bool { return value.ValueString() == onDestroyOrphan }

// leavesFiles reports whether a destroy by a state leaves the files. It reads that alone,
// since nearly every plan has no more to do with it.
func leavesFiles(ctx context.Context, state tfsdk.State) (leaves bool, diags diag.Diagnostics) {
	var value types.String
	if !state.Raw.IsNull() {
		diags = state.GetAttribute(ctx, path.Root("on_destroy"), &value)
	}
	return isOrphaned(value), diags
}

// orphan leaves the files of places to the create that may follow in this run.
func orphan(ctx context.Context, data *providerdata.Data, private privatestate.Reader, places ...repolayout.Install) diag.Diagnostics {
	seen, diags := readSeen(ctx, private)
	for _, at := range places {
		dir := data.Layout.Dir(at)
		data.Installs.Orphan(at, func(name string, blob installfiles.Blob) bool { return seen.Is(dir, name, blob) })
	}
	return diags
}

// shownDirectories is how many a message lists at most.
const shownDirectories = 20

// orphaned is the warning about files that a destroy leaves, or a replacement in another
// place.
func orphaned(noun, name string, replaced bool, where commits, dirs []string) diag.Diagnostic {
	text := "on_destroy is \"orphan\" in the state, so that Terraform forgets this resource and commits nothing."
	if replaced {
		text = "on_destroy is \"orphan\" in the state, and the replacement has its files in another place."
	}
	text += " What these files deploy goes on running, and follows new versions as their constraints say:\n\n" + strings.Join(dirs[:min(len(dirs), shownDirectories)], "\n")
	if more := len(dirs) - shownDirectories; more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	if where.waits() {
		text += "\n\nChanges of them wait on git.push_branch. They go on waiting there, and are deployed once they are merged."
	}
	return diag.NewAttributeWarningDiagnostic(path.Root("on_destroy"), fmt.Sprintf("The files of the %s %q stay", noun, name),
		text+"\n\nTo have them removed, set on_destroy = \"remove\" and apply that first.")
}

// places are where the packages of the set are, and their directories as the state has
// them.
func (m setModel) places(ctx context.Context) (places []repolayout.Install, dirs []string, diags diag.Diagnostics) {
	entries, _, diags := m.entries(ctx, types.DynamicNull())
	paths := texts(m.Paths)
	for _, e := range entries {
		places, dirs = append(places, m.at(e.name)), append(dirs, paths[e.name])
	}
	return places, slices.DeleteFunc(dirs, func(dir string) bool { return dir == "" }), diags
}

// orphanedBy is the warning about the files that a replacement in another place leaves, of
// a state that leaves them; none if there is no such.
func (m model) orphanedBy(plan model) diag.Diagnostics {
	if m.Package.Equal(plan.Package) && m.RunCluster.Equal(plan.RunCluster) {
		return nil
	}
	return diag.Diagnostics{orphaned(noun, title(m), true, m.commits(), []string{m.Path.ValueString()})}
}

func (m setModel) orphanedBy(ctx context.Context, plan setModel) diag.Diagnostics {
	if m.RunCluster.Equal(plan.RunCluster) {
		return nil
	}
	_, dirs, diags := m.places(ctx)
	return append(diags, orphaned(setNoun, m.title(), true, m.commits(), dirs))
}
