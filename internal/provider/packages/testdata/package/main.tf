variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "host" {
  type    = string
  default = null
}
variable "ca" {
  type    = string
  default = null
}
variable "token" {
  type      = string
  default   = null
  sensitive = true
}
variable "run_cluster" {
  type    = string
  default = null
}
variable "namespace" {
  type    = string
  default = null
}

provider "carvel" {
  git = { http = { certificate_authority = var.git_ca } }
  run_clusters = {
    # The token's, or the administrator's.
    staging = {
      host                   = var.host
      token                  = var.token
      cluster_ca_certificate = var.ca
      config_path            = var.token == null ? var.staging_kubeconfig : null
    }
  }
}

variable "package_name" {
  type    = string
  default = null
}
variable "version_constraint" {
  type    = string
  default = null
}
variable "prereleases" {
  type    = object({ identifiers = optional(list(string)) })
  default = null
}

data "carvel_package" "test" {
  name               = coalesce(var.package_name, var.package)
  run_cluster        = var.run_cluster
  namespace          = var.namespace
  version_constraint = var.version_constraint
  prereleases        = var.prereleases
}

output "replicas" { value = try(data.carvel_package.test.default_values.replicas, null) }
output "defaults" { value = jsonencode(data.carvel_package.test.default_values) }
output "schema" { value = data.carvel_package.test.values_schema == null ? null : jsondecode(data.carvel_package.test.values_schema).properties.replicas.type }
