# One package on a run cluster, and since when it is well.

terraform {
  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "run_cluster" {
  description = "The run cluster, a key of the provider's run_clusters."
  type        = string
}

variable "namespace" {
  description = "Namespace of the package there."
  type        = string
}

variable "package" {
  description = "Name of the package."
  type        = string
}

data "carvel_package_installs" "this" {
  run_cluster = var.run_cluster
  namespace   = var.namespace
}

locals {
  installs = [for install in data.carvel_package_installs.this.package_installs : install if install.package == var.package]
}

output "install" {
  description = "What carvel_package_installs says of it. Null where it is not installed, or more than once."
  value       = length(local.installs) == 1 ? local.installs[0] : null
}
