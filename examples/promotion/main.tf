# Promotion: production gets the version that is healthy on staging, and no
# version that staging has not run.

terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "package" {
  description = "Name of the package to promote."
  type        = string
}

variable "staging_namespace" {
  description = "Namespace of the package on the run cluster staging."
  type        = string
}

variable "prod_service_account_name" {
  description = "ServiceAccount on the run cluster prod that deploys the package's content."
  type        = string
}

variable "hostname" {
  description = "Hostname of the package in production."
  type        = string
}

# The version that staging runs, and whether it is well.
data "carvel_package_installs" "staging" {
  run_cluster = "staging"
  namespace   = var.staging_namespace
}

locals {
  staging = try(
    [for install in data.carvel_package_installs.staging.package_installs : install if install.package == var.package][0],
    { version = "", ready = false, message = "it is not installed there" },
  )
}

# The versions that the repository has.
data "carvel_package" "this" {
  name               = var.package
  version_constraint = ">=0.0.0"
}

resource "carvel_package_install" "prod" {
  package              = var.package
  run_cluster          = "prod"
  service_account_name = var.prod_service_account_name
  version_constraint   = local.staging.version

  values = {
    hostname = var.hostname
  }

  lifecycle {
    precondition {
      condition     = local.staging != null
      error_message = "${var.package} is not installed on staging."
    }

    precondition {
      condition     = local.staging.ready
      error_message = "${var.package} ${local.staging.version} is not healthy on staging: ${local.staging.message}"
    }
  }
}

# Not an error: staging may be behind on purpose.
check "staging_has_the_newest_version" {
  assert {
    condition     = local.staging.version == data.carvel_package.this.resolved_version
    error_message = "Staging runs ${local.staging.version}, and ${data.carvel_package.this.resolved_version} is there to be tried."
  }
}

output "promoted_version" {
  description = "Version that production gets."
  value       = carvel_package_install.prod.resolved_version
}
