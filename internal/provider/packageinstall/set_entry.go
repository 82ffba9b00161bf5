package packageinstall

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/carvel-gitops/terraform-provider-carvel/internal/carvel"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/delivery"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/packed"
	"github.com/carvel-gitops/terraform-provider-carvel/internal/provider/tfvalue"
)

// entry is a package of a set.
type entry struct {
	name string
	// model is the package install: what the set shares, under what the entry gives.
	model     model
	given     map[string]attr.Value // by the entry, as the types of model have it
	raw       attr.Value            // as the configuration or the state has it; nil: another now
	writeOnly types.Dynamic
	unknown   bool // the entry as a whole is not known yet
}

// notOfAPackage are the attributes of carvel_package_install that an entry has not.
var notOfAPackage = []string{
	"id", "package", "run_cluster", "values_wo", "values_wo_version", "adopt_existing", "on_destroy", "timeouts", "creation", "adopted", "path", "files", "commit", "pending_commit", "resolved_version",
}

// ofPackages are the attributes of an entry, with the field of model that each goes to.
var ofPackages = sync.OnceValue(func() map[string]schema.Attribute {
	var resp resource.SchemaResponse
	(&packageInstall{}).Schema(context.Background(), resource.SchemaRequest{}, &resp)
	attributes := maps.Clone(resp.Schema.Attributes)
	for _, name := range notOfAPackage {
		delete(attributes, name)
	}
	return attributes
})

// fieldOf are the fields of model by their attribute's name.
var fieldOf = sync.OnceValue(func() map[string]int {
	fields := map[string]int{}
	kind := reflect.TypeFor[model]()
	for i := range kind.NumField() {
		fields[kind.Field(i).Tag.Get("tfsdk")] = i
	}
	return fields
})

func (m *setModel) set(attribute string, value attr.Value) {
	fields := reflect.ValueOf(m).Elem()
	for i := range fields.NumField() {
		if fields.Type().Field(i).Tag.Get("tfsdk") == attribute {
			fields.Field(i).Set(reflect.ValueOf(value))
		}
	}
}

func (m *model) set(attribute string, value attr.Value) {
	reflect.ValueOf(m).Elem().Field(fieldOf()[attribute]).Set(reflect.ValueOf(value))
}

func (m *model) get(attribute string) attr.Value {
	value, _ := reflect.TypeAssert[attr.Value](reflect.ValueOf(m).Elem().Field(fieldOf()[attribute]))
	return value
}

func objectType(t attr.Type) map[string]attr.Type {
	object, _ := t.(types.ObjectType)
	return object.AttrTypes
}

// entries are the packages in the order of their names. known is false if it is not known
// yet which there are.
func (m setModel) entries(ctx context.Context, writeOnly types.Dynamic) (entries []entry, known bool, diags diag.Diagnostics) {
	if m.Packages.IsUnknown() || m.Packages.IsUnderlyingValueUnknown() {
		return nil, false, nil
	}
	opened, err := packed.Open(ctx, m.Packages)
	if err != nil {
		diags.Append(notPackages("cannot be read: " + err.Error()))
	}
	packages, ok := tfvalue.FieldsOf(opened)
	if !ok {
		if !m.Packages.IsNull() {
			diags.Append(notPackages("is no map of packages"))
		}
		return nil, true, diags
	}
	secrets, d := writeOnlyBy(writeOnly, packages)
	diags.Append(d...)
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		e, d := m.entry(ctx, name, packages[name])
		diags.Append(d...)
		if e.writeOnly = secrets(name); writeOnly.IsUnknown() || writeOnly.IsUnderlyingValueUnknown() {
			e.writeOnly = types.DynamicUnknown()
		}
		entries = append(entries, e)
	}
	return entries, true, diags
}

// entry is what the set has for one package.
func (m setModel) entry(ctx context.Context, name string, value attr.Value) (entry, diag.Diagnostics) {
	e := entry{name: name, model: m.of(name), given: map[string]attr.Value{}, raw: value, writeOnly: types.DynamicNull()}
	var diags diag.Diagnostics
	if err := carvel.ValidatePackageName(name); err != nil {
		diags.Append(notPackages(fmt.Sprintf("has the key %q, which is no package name such as app.default.tap: %v", name, err)))
	}
	if value.IsUnknown() {
		e.unknown = true
		return e, diags
	}
	fields, ok := tfvalue.FieldsOf(value)
	if !ok || value.IsNull() {
		diags.Append(inPackage(name, "", "must be an object, such as { version_constraint = \"1.2.3\" }. Leave a package that is not to be installed out of packages."))
		return e, diags
	}
	known := ofPackages()
	for _, attribute := range slices.Sorted(maps.Keys(fields)) {
		kind, ok := known[attribute]
		if !ok {
			diags.Append(inPackage(name, attribute, hintAt(attribute, known)))
			continue
		}
		converted, err := tfvalue.Convert(ctx, fields[attribute], kind.GetType())
		var wrong *tfvalue.ConvertError
		switch {
		case errors.As(err, &wrong) && wrong.Known != nil:
			diags.Append(inPackage(name, attribute+wrong.At, "is no attribute. There are "+strings.Join(wrong.Known, ", ")+"."))
			continue
		case errors.As(err, &wrong):
			diags.Append(inPackage(name, attribute+wrong.At, "must be "+wrong.Want+", and is "+wrong.Got+"."))
			continue
		case err != nil:
			diags.Append(inPackage(name, attribute, err.Error()))
			continue
		}
		if converted.IsNull() {
			continue // as if it were not there
		}
		e.given[attribute] = converted
		e.model.set(attribute, converted)
	}
	if _, elsewhere := e.given["cluster"]; elsewhere && e.given["service_account_name"] == nil {
		e.model.ServiceAccountName = types.StringNull() // the others'
	}
	e.model.setDefaults()
	return e, diags
}

// setDefaults does what the defaults of the schema of carvel_package_install do.
func (m *model) setDefaults() {
	if m.AllowDowngrade.IsNull() {
		m.AllowDowngrade = types.BoolValue(false)
	}
	if m.PackageSource.IsNull() {
		m.PackageSource = types.StringValue(delivery.FromRepository)
	}
	m.setNames(*m)
}

// writeOnlyBy are the write-only values of each package.
func writeOnlyBy(writeOnly types.Dynamic, packages map[string]attr.Value) (func(string) types.Dynamic, diag.Diagnostics) {
	var diags diag.Diagnostics
	by, ok := tfvalue.FieldsOf(writeOnly)
	if !ok && !writeOnly.IsNull() && !writeOnly.IsUnknown() && !writeOnly.IsUnderlyingValueUnknown() {
		diags.AddAttributeError(path.Root("values_wo"), "Invalid values_wo", "The write-only values must be a map of objects by package name, such as { \"app.default.tap\" = { password = var.password } }.")
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		value := by[name]
		at := "values_wo[" + strconv.Quote(name) + "]"
		if _, there := packages[name]; !there {
			diags.AddAttributeError(path.Root("values_wo"), "Invalid "+at, "packages has no "+name+", so that its values would go nowhere. Add it there, or remove it here.")
		}
		if _, isObject := tfvalue.FieldsOf(value); !isObject && !value.IsNull() && !value.IsUnknown() {
			diags.AddAttributeError(path.Root("values_wo"), "Invalid "+at, "The values must be an object, such as { password = var.password }.")
		}
	}
	return func(name string) types.Dynamic {
		value, given := by[name]
		if !given || value.IsNull() {
			return types.DynamicNull()
		}
		if dynamic, ok := value.(types.Dynamic); ok {
			return dynamic
		}
		return types.DynamicValue(value)
	}, diags
}

// isKnown reports whether the entry is known in full.
func (e entry) isKnown(ctx context.Context) bool {
	if e.unknown {
		return false
	}
	values := []attr.Value{e.writeOnly, e.model.Name, e.model.ValuesSecretName}
	for name := range ofPackages() {
		values = append(values, e.model.get(name))
	}
	for _, value := range values {
		if known, err := isKnown(ctx, value); err != nil || !known {
			return false
		}
	}
	return true
}

// spec is the package install with its hold.
func (e entry) spec(ctx context.Context, hold delivery.Hold) (delivery.PackageInstall, diag.Diagnostics) {
	spec, diags := e.model.spec(ctx, e.writeOnly)
	spec.Hold = hold
	return spec, e.tell(diags)
}

// tell has diagnostics about a package install name the entry that they are about.
// Terraform points at packages: for a path that goes on inside of it, it would point at
// the whole resource.
func (e entry) tell(diags diag.Diagnostics) diag.Diagnostics {
	out := make(diag.Diagnostics, 0, len(diags))
	for _, d := range diags {
		at, hasPath := d.(diag.DiagnosticWithPath)
		if !hasPath {
			out = append(out, d)
			continue
		}
		attribute := at.Path().String()
		root, _, _ := strings.Cut(strings.ReplaceAll(attribute, "[", "."), ".")
		_, given := e.given[root]
		_, isOfPackages := ofPackages()[root]
		summary, detail, to := d.Summary(), d.Detail(), path.Root("packages")
		switch {
		case root == "values_wo":
			to = path.Root("values_wo")
			summary = strings.Replace(summary, "values_wo", "values_wo["+strconv.Quote(e.name)+"]", 1)
		case !isOfPackages:
			to = at.Path()
		case !given && isShared(root): // the set gives it
			to = at.Path()
		default:
			named := strings.Replace(summary, root, e.attribute(root), 1)
			if named == summary {
				detail += "\n\nThis is about " + e.attribute(root) + "."
			}
			summary = named
		}
		if d.Severity() == diag.SeverityError {
			out = append(out, diag.NewAttributeErrorDiagnostic(to, summary, detail))
		} else {
			out = append(out, diag.NewAttributeWarningDiagnostic(to, summary, detail))
		}
	}
	return out
}

// attribute is how a configuration names one of the entry.
func (e entry) attribute(name string) string { return attributeIn(e.name, name) }

func attributeIn(packageName, attribute string) string {
	in := "packages[" + strconv.Quote(packageName) + "]"
	if attribute == "" {
		return in
	}
	return in + "." + attribute
}

// inPackage is the error about an attribute of an entry, "" for the entry itself.
func inPackage(packageName, attribute, problem string) diag.Diagnostic {
	name := attributeIn(packageName, attribute)
	return diag.NewAttributeErrorDiagnostic(path.Root("packages"), "Invalid "+name, name+" "+problem)
}

func notPackages(problem string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("packages"), "Invalid packages",
		"packages "+problem+". Give an object for each package by its name, such as { \"app.default.tap\" = { version_constraint = \"1.2.3\" } }.")
}

// hintAt tells what to do about an attribute that there is not.
func hintAt(attribute string, known map[string]schema.Attribute) string {
	switch attribute {
	case "values_wo":
		return "is no attribute of a package. Write-only values are given in values_wo of the resource, by package name."
	case "version":
		return "is no attribute of a package. The version is in version_constraint."
	}
	return "is no attribute of a package: values of the package go into values = { ... }. There are " + strings.Join(slices.Sorted(maps.Keys(known)), ", ") + "."
}

// isShared reports whether a set has this attribute for all of its packages.
func isShared(attribute string) bool { return slices.Contains(shared, attribute) }

// shared are the attributes that a set gives to all of its packages.
var shared = []string{
	"service_account_name", "namespace", "sync_period", "prereleases", "encryption", "labels", "annotations", "hash_values_name", "package_source", "schema_check", "allow_downgrade",
}

// value is the entry as a configuration has it.
func (e entry) value() attr.Value {
	if e.raw != nil {
		return e.raw
	}
	return tfvalue.Object(e.given)
}
