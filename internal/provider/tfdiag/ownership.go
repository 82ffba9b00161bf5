package tfdiag

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
)

// explainOwnership is about whose something is.
func explainOwnership(err error) (explanation, bool) {
	var exists *delivery.ExistsError
	var taken *delivery.TakenOverError
	var notAsPlanned *delivery.NotAsPlannedError
	switch {
	case errors.As(err, &taken):
		return explanation{
			whole: true,
			what:  fmt.Sprintf("%s in %s has been taken over by %s. It was left as it is.", taken.What, taken.Where, taken.By.Describe()),
			advice: "Remove this resource from the configuration, which deletes nothing that has been taken over; or remove the other one with a " +
				"removed block that has destroy = false, and set adopt_existing = true after terraform state rm of this one.",
		}, true
	case errors.As(err, &notAsPlanned):
		now := "The plan saw " + notAsPlanned.Seen + "."
		if notAsPlanned.Seen == "" {
			now = "The plan saw nothing there."
		}
		return explanation{
			attribute: "adopt_existing",
			what:      fmt.Sprintf("%s in %s is not what the plan saw, so it was left as it is. %s", notAsPlanned.What, notAsPlanned.Where, now),
			advice:    "Someone else has changed it in the meantime. Plan again to see what would be taken over.",
		}, true
	case errors.As(err, &exists):
		return explainExists(exists), true
	}
	return explanation{}, false
}

func explainExists(exists *delivery.ExistsError) explanation {
	e := explanation{what: fmt.Sprintf("%s already exists in %s, and this resource did not make it.", exists.What, exists.Where) + lastChanged(exists.By)}
	if exists.Mark.Creation == "" {
		e.advice = "Import it, choose another name, or set adopt_existing = true: the plan then shows what it would overwrite."
		return e
	}
	e.what = fmt.Sprintf("%s already exists in %s. It belongs to %s.", exists.What, exists.Where, exists.Mark.Describe()) + lastChanged(exists.By)
	e.advice = "Choose another name. If the resource was renamed, tell Terraform so with a moved block. If it comes from another configuration for good, " +
		"that one must forget it first, by a removed block that has destroy = false or a destroy of package installs with on_destroy = \"orphan\". Once it has, " +
		"import it here, or set adopt_existing = true: the plan then shows what it would overwrite. " +
		"If this configuration was interrupted under another name, which a new backend or working directory gives it, set owner in the provider " +
		"configuration to the name that is shown here."
	return e
}

// Adopts warns of what a resource is about to take over.
func Adopts(noun, name string, a delivery.Adoption) diag.Diagnostics {
	if a.Seen == "" {
		return nil
	}
	var text strings.Builder
	for _, change := range a.Changes {
		before, after := change.Before, change.After
		if after == "" {
			after = before // not known yet
		}
		if diff := udiff.Unified(change.What+" as it is", change.What+" as it will be", before, after); diff != "" {
			text.WriteString("\n\n" + strings.TrimSuffix(diff, "\n"))
		} else {
			text.WriteString("\n\n" + change.What + ": as it is")
		}
	}
	return diag.Diagnostics{diag.NewAttributeWarningDiagnostic(path.Root("adopt_existing"), fmt.Sprintf("The %s %q takes over what is there", noun, name),
		"Terraform shows it as created. This is what the apply does to what is there:"+text.String()+
			"\n\nThe apply fails where that has changed by then; where Terraform says \"Provider produced inconsistent final plan\" of the attribute adopted, "+
			"it has, and nothing was written: plan again.")}
}

// Incomplete warns of a resource whose creation has failed half-way.
func Incomplete(noun, name string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("The creation of the %s %q has not been completed", noun, name),
		"Terraform shows that it will be replaced. The apply deletes nothing: it goes on in place with what is there.")
}

// Taken warns of a resource that another one has taken over.
func Taken(noun, name, by string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("The %s %q has been taken over", noun, name),
		"It belongs to "+by+" now. This resource neither changes it nor deletes it any more: remove it from this configuration.")
}

// ReplacedInPlace is the diagnostic of a resource that is planned twice: to be
// destroyed at one address and created at another.
func ReplacedInPlace(noun, name string) diag.Diagnostic {
	return diag.NewErrorDiagnostic(fmt.Sprintf("The %s %q is destroyed and created by the same plan", noun, name),
		"A resource at another address of this configuration holds it, and is no longer configured: Terraform would delete what the new one is to have. "+
			"If the resource was renamed, or its key in for_each, add a moved block from the old address to the new one, and nothing is changed. "+
			"To make it anew, apply without the new resource first.")
}

// SameObject is the diagnostic of two resources that would write one object.
func SameObject(noun, name string) diag.Diagnostic {
	return diag.NewErrorDiagnostic(fmt.Sprintf("Two resources for the %s %q", noun, name),
		"This configuration has another resource of the same name, so that both would write one object. Remove one of them, or give it another name.")
}

// Mutated warns of what a cluster has stored otherwise than it was applied.
func Mutated(noun, name string, all []delivery.Mutation) diag.Diagnostics {
	if len(all) == 0 {
		return nil
	}
	lines := make([]string, len(all))
	for i, m := range all {
		by := "an admission policy or webhook of the cluster, as it seems: no field manager says so"
		if len(m.Owners) > 0 {
			by = strings.Join(m.Owners, ", ")
		}
		value := "removed"
		if m.Value != nil {
			value = Fit(fmt.Sprintf("%v", m.Value))
		}
		lines[i] = fmt.Sprintf("%s %s: %s (by %s)", m.Object, m.Field, value, by)
	}
	return diag.Diagnostics{diag.NewWarningDiagnostic(fmt.Sprintf("The cluster changed the %s %q on its way in", noun, name),
		"These fields are stored otherwise than they were applied:\n"+strings.Join(lines, "\n")+
			"\n\nThe next plan shows that as drift, and each apply sets the fields again. To leave them as the cluster has them, configure these values, "+
			"or name the fields in field_manager = { ignore_fields = [...] }.")}
}

// SuccessorUnknown warns of a resource whose replacement had no known name when it
// was planned.
func SuccessorUnknown(id string) diag.Diagnostic {
	return diag.NewWarningDiagnostic(fmt.Sprintf("What is left of %q may be nobody's", id),
		"It was planned to be replaced by a resource whose name was not known yet. Where its creation had not been completed, it is left for that one to go on with. "+
			"Where that one has another name, delete by hand what is left under this one.")
}

// Left warns of what a delete has left in its place.
func Left(left []delivery.Left) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, l := range left {
		summary := fmt.Sprintf("%s was not deleted", l.What)
		var text string
		switch l.Reason {
		case delivery.LeftForRetry:
			continue // what follows goes on with it
		case delivery.LeftForReplacement:
			text = fmt.Sprintf("It was there before adopt_existing took it over, so that it is left in %s, and the replacement goes on with it. "+
				"Set delete_adopted = true and apply before the replacement to have it made anew.", l.Where)
		case delivery.LeftTaken:
			text = fmt.Sprintf("It has been taken over by %s, so that it is left in %s. Terraform forgets this resource.", l.By, l.Where)
		case delivery.LeftHalfAdopted:
			text = fmt.Sprintf("It was there before adopt_existing took it over, and its adoption was never completed. It is left in %s as it is now: "+
				"some of its fields may be those of this configuration. Terraform forgets this resource.", l.Where)
		case delivery.LeftAdopted:
			text = fmt.Sprintf("It was there before it was adopted or imported, so that it is left in %s, without the provider's label and annotation.", l.Where)
			if !strings.HasPrefix(l.What, "secrets ") {
				text += " Set delete_adopted = true and apply before the destroy to have it deleted."
			}
		case delivery.LeftInUse:
			text = fmt.Sprintf("%s uses it, so that it is left in %s.", l.By, l.Where)
		}
		diags.AddWarning(summary, text)
	}
	return diags
}
