# Promotion through stages: dev gets the newest version of a package, staging what dev has run
# for its soak time, and prod what staging has. The values of a version go with it.
#
# One configuration, one state for each stage: terraform workspace select prod, or a workspace
# of HCP Terraform for each.

terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

locals {
  releases = yamldecode(file(var.releases))
  stages   = yamldecode(file(var.stages))
  stage    = local.stages[var.stage]
  # The stage that this one gets its version from, null for the first.
  from = try(local.stage.from, null)
  now  = var.now != null ? var.now : plantimestamp()
}

# The versions that the repository has.
data "carvel_package" "this" {
  name               = var.package
  version_constraint = ">=0.0.0"
}

# What the stage before runs, and since when it is well.
module "before" {
  source = "./installed"
  count  = local.from != null ? 1 : 0

  run_cluster = local.from
  namespace   = var.namespace
  package     = var.package
}

locals {
  before = one(module.before[*].install)

  newest  = data.carvel_package.this.resolved_version
  version = local.from == null ? local.newest : try(local.before.version, null)
  values  = try(local.releases[local.version], null)
}

resource "carvel_package_install" "this" {
  package              = var.package
  run_cluster          = var.stage
  service_account_name = var.service_account_name
  # Without a version a precondition refuses what is planned, but not a destroy.
  version_constraint = coalesce(local.version, ">=0.0.0")

  # What the version runs with everywhere, and what this stage has of its own.
  values = merge(local.values, local.stage.values)
  # So that ready_since is exact, also if the values change.
  hash_values_name = true

  lifecycle {
    precondition {
      condition     = local.values != null
      error_message = "${var.releases} has no values for ${var.package} ${coalesce(local.version, "without a version")}."
    }

    precondition {
      condition     = local.from == null || try(local.before.ready, false)
      error_message = "${var.package} is not healthy on the stage before: ${try(local.before.message, "it is not installed there, or more than once")}"
    }

    # A version is promoted with the values that it has run with, and with no others.
    precondition {
      condition = local.from == null || try(
        local.before.values_digest == provider::carvel::values_digest(var.package, merge(local.values, local.stages[local.from].values)),
        false,
      )
      error_message = "The stage before does not have the values of ${var.releases} for ${coalesce(local.version, "its version")}: apply that stage first."
    }

    precondition {
      condition     = local.from == null || provider::carvel::healthy_for(try(local.before.ready_since, null), try(local.stage.soak, "0s"), local.now)
      error_message = "The stage before has to be healthy for ${try(local.stage.soak, "0s")}. It has been since ${try(coalesce(local.before.ready_since), "an unknown time")}, and it is ${local.now}. ${try(coalesce(local.before.ready_since_reason), "")}"
    }
  }
}

# Not an error: a stage may be behind on purpose.
check "newest_version" {
  assert {
    condition     = local.version == local.newest
    error_message = "This stage gets ${coalesce(local.version, "no version")}, and ${local.newest} is there to be tried."
  }
}

output "version" {
  description = "Version that the stage gets."
  value       = carvel_package_install.this.resolved_version
}

output "released_at" {
  description = "When that version was released, as its Package says. Null if it does not."
  value       = try(data.carvel_package.this.released_at[local.version], null)
}
