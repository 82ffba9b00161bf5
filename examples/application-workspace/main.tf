# A workspace of an application team: it commits which version of its package
# each run cluster gets, and has no access to any cluster. The platform
# workspace beside it has made the namespaces and the Apps.

terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

variable "git_ca" {
  description = "PEM-encoded authority of the Git server's certificate, if the system does not know it."
  type        = string
  default     = null
}

variable "package" {
  description = "Name of the team's package."
  type        = string
}

variable "run_clusters" {
  description = "What each run cluster gets: run cluster to version, ServiceAccount and values."
  type = map(object({
    version_constraint   = string
    service_account_name = string
    replicas             = number
    hostname             = string
  }))
}

# Only git: CARVEL_GIT_URL, CARVEL_GIT_USERNAME and CARVEL_GIT_PASSWORD are
# variables of the workspace.
provider "carvel" {
  git = {
    commit_message_appendix = "[skip ci]"
    http                    = { certificate_authority = var.git_ca }
  }
}

resource "carvel_package_install" "this" {
  for_each = var.run_clusters

  package              = var.package
  run_cluster          = each.key
  service_account_name = each.value.service_account_name
  version_constraint   = each.value.version_constraint

  values = {
    replicas = each.value.replicas
    hostname = each.value.hostname
  }
}

output "resolved_versions" {
  description = "The version that each run cluster gets."
  value       = { for cluster, install in carvel_package_install.this : cluster => install.resolved_version }
}

output "commits" {
  description = "The commit that last wrote each run cluster's files."
  value       = { for cluster, install in carvel_package_install.this : cluster => install.commit }
}
