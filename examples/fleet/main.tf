# A fleet: every package on every run cluster of a stage, from one YAML file. One
# configuration, one state for each stage: terraform workspace select prod, or a
# workspace of HCP Terraform for each.

terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

locals {
  fleet    = yamldecode(file(var.fleet))
  clusters = { for name, c in local.fleet.clusters : name => c if c.stage == var.stage }
}

# One resource for each run cluster: one commit changes all of its packages.
resource "carvel_package_installs" "this" {
  for_each = local.clusters

  run_cluster          = each.key
  service_account_name = "delivery-sa"

  # The attributes of all packages are the same, so that they can be a map: Terraform has
  # less to do with it than with an object.
  packages = tomap({ for name, package in local.fleet.packages : name => {
    version_constraint = package.versions[var.stage]
    values_yaml = tolist(concat(
      [yamlencode(package.values)],
      [for values in [try(each.value.values[name], null)] : yamlencode(values) if values != null],
    ))
  } if can(package.versions[var.stage]) })
}

# One App for each run cluster: it fetches the repository once, whatever the number
# of packages.
resource "carvel_app" "this" {
  for_each = local.clusters

  namespace   = var.build_namespace
  name        = "fleet-${each.key}"
  run_cluster = each.key
  packages    = keys(carvel_package_installs.this[each.key].paths)

  cluster = {
    namespace             = var.run_namespace
    kubeconfig_secret_ref = { name = "${each.key}-kubeconfig" }
  }
  git_secret_ref = { name = var.git_credentials_secret }

  # Every commit makes the App fetch at once. The period is for what others commit.
  wait_for_commits = [carvel_package_installs.this[each.key].commit]
  sync_period      = "10m"
}
