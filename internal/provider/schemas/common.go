package schemas

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/cluster"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/version"
)

// The time-outs of an operation that sets none.
const (
	WriteTimeout = 15 * time.Minute
	ReadTimeout  = time.Minute // a plan over a cluster that is down is to end soon
	DataTimeout  = time.Minute // of a data source: a check must not hold up a run for long
)

// LookTimeout bounds the looks at a cluster that a plan takes. The cluster may
// be made by the same run; then the apply decides.
const LookTimeout = 5 * time.Second

// Timeouts is the attribute timeouts.
func Timeouts(ctx context.Context) schema.Attribute {
	return timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: "How long creating may take, for example `15m`, the default.",
		ReadDescription:   "How long reading may take, also what a plan reads for the resource, `1m` by default.",
		UpdateDescription: "How long updating may take, `15m` by default.",
		DeleteDescription: "How long deleting may take, `15m` by default.",
	})
}

// PlanTimeout bounds what a plan reads for a resource: the time that timeouts.read gives.
func PlanTimeout(ctx context.Context, t timeouts.Value) time.Duration {
	read, diags := t.Read(ctx, ReadTimeout)
	if diags.HasError() {
		return ReadTimeout // the operation that uses it tells what is wrong with it
	}
	return read
}

// FieldManagerAttribute is the attribute field_manager.
func FieldManagerAttribute() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional:            true,
		MarkdownDescription: "How the objects are written by server-side apply.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(carvel.ManagedBy),
				MarkdownDescription: "Name of the field manager, at most 128 characters. The default is `" + carvel.ManagedBy + "`.",
				Validators:          []validator.String{stringvalidator.LengthAtMost(128)},
			},
			"force_conflicts": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Take over fields that another field manager owns. Without it such a field is an error that names the field and its owner.",
			},
			"ignore_fields": schema.ListAttribute{
				Optional: true, ElementType: types.StringType,
				MarkdownDescription: "Fields that others may change once they are set: what is there is kept, " +
					"and is no drift. A field is written as in the error about a conflict, for example `.spec.syncPeriod` or `.metadata.labels.team`; " +
					"`Kind/name .field` is that of one object alone, and the last element is no index into a list.",
				Validators: []validator.List{listvalidator.ValueStringsAre(
					Check("a field such as .spec.syncPeriod, or Role/app-cr-role .rules", delivery.ValidateIgnored))},
			},
		},
	}
}

// ForCluster are the settings that resources on clusters share. What is null or
// unknown in field_manager has its default.
func ForCluster(fieldManager types.Object, hold delivery.Hold) delivery.ForCluster {
	how := delivery.ForCluster{Manager: cluster.Manager{Name: carvel.ManagedBy}, Hold: hold}
	attributes := fieldManager.Attributes()
	if name, ok := attributes["name"].(types.String); ok && name.ValueString() != "" {
		how.Manager.Name = name.ValueString()
	}
	if force, ok := attributes["force_conflicts"].(types.Bool); ok {
		how.Manager.Force = force.ValueBool()
	}
	if fields, ok := attributes["ignore_fields"].(types.List); ok {
		for _, element := range fields.Elements() {
			if field, ok := element.(types.String); ok {
				how.Ignore = append(how.Ignore, field.ValueString())
			}
		}
	}
	return how
}

// AdoptExisting is the attribute adopt_existing.
func AdoptExisting(what string) schema.Attribute {
	return schema.BoolAttribute{
		Optional: true, Computed: true, Default: booldefault.StaticBool(false),
		MarkdownDescription: "Take over " + what + " when this resource is created, instead of failing. " +
			"The plan shows in a warning what that changes, and the apply fails if what is there has changed since. " +
			"What an interrupted apply has made needs no adoption.",
	}
}

// ID is the computed attribute id.
func ID(form string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: "The import id, `" + form + "`.",
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// UID is the computed attribute uid.
func UID(of string) schema.Attribute {
	return schema.StringAttribute{
		Computed:            true,
		MarkdownDescription: "UID of the " + of + ". Another " + of + " of the same name, with another UID, is not deleted.",
		PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// Identity is a required string attribute that makes a new resource when it
// changes.
func Identity(description string, validators ...validator.String) schema.Attribute {
	return schema.StringAttribute{
		Required:            true,
		MarkdownDescription: description,
		PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
		Validators:          validators,
	}
}

// RunCluster is the required attribute run_cluster.
func RunCluster(description string) schema.Attribute {
	return Identity(description, RunClusterName())
}

// Metadata are the attributes labels and annotations of an object.
func Metadata(of string) (labels, annotations schema.Attribute) {
	return metadata(of, " Those that others set are left alone.")
}

// FileMetadata are labels and annotations of an object in a file, which has one
// owner.
func FileMetadata(of string) (labels, annotations schema.Attribute) {
	return metadata(of, " Others that someone puts into the file are drift.")
}

func metadata(of, others string) (labels, annotations schema.Attribute) {
	attribute := func(what, more string, check keyed) schema.Attribute {
		return schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: what + " to set on the " + of + ", over the provider's `default_" + strings.ToLower(what) + "`." + more + others,
			Validators:          []validator.Map{check},
		}
	}
	return attribute("Labels", "", labelsCheck), attribute("Annotations", " Those of Carvel (`carvel.dev`, `k14s.io`) go on the first of them alone.", annotationsCheck)
}

// Name checks a DNS-1123 label.
func Name() validator.String {
	return Check("a DNS-1123 label: lowercase letters, digits and hyphens, at most 63", carvel.ValidateName)
}

// ObjectName checks the name of a Kubernetes object.
func ObjectName() validator.String {
	return Check("a DNS-1123 subdomain: lowercase letters, digits, hyphens and dots, at most 253", carvel.ValidateObjectName)
}

// PackageName checks a package's name.
func PackageName() validator.String {
	return Check("a package name, a DNS-1123 subdomain of at least three segments such as app.default.tap", carvel.ValidatePackageName)
}

// RunClusterName checks a run cluster's name.
func RunClusterName() validator.String {
	return Check("a run cluster's name, a DNS-1123 label such as staging", carvel.ValidateRunCluster)
}

// SyncPeriod checks a duration.
func SyncPeriod() validator.String {
	return Check("a duration of at least 30s, such as 30s, 10m or 1h30m", func(s string) error {
		_, err := carvel.CanonicalDuration(s)
		return err
	})
}

// longestPushInterval is an update's default time-out.
const longestPushInterval = 10 * time.Minute

// PushInterval checks a duration.
func PushInterval() validator.String {
	return Check("a duration of at most 10m, such as 10s", func(s string) error {
		d, err := time.ParseDuration(s)
		if err == nil && (d < 0 || d > longestPushInterval) {
			err = fmt.Errorf("%q is not between 0s and 10m", s)
		}
		return err
	})
}

// VersionConstraint checks a version constraint.
func VersionConstraint() validator.String {
	return Check("a version constraint as kapp-controller reads it, such as 1.2.3 or >=1.0.0 <2.0.0", version.ValidateConstraint)
}
