terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "git_url" { type = string }
variable "git_ca" { type = string }
variable "version_constraint" {
  type    = string
  default = "1.0.0"
}
variable "prereleases" {
  type    = object({ identifiers = optional(list(string)) })
  default = null
}
variable "package" {
  type    = string
  default = "app.default.tap"
}
variable "source_kind" {
  type    = string
  default = "repository"
}
variable "values" {
  type    = any
  default = { workload_name = "app" }
}

provider "carvel" {
  git = {
    url  = var.git_url
    http = { username = "u", password = "p", certificate_authority = var.git_ca }
  }
  # Nobody answers there.
  run_clusters = { staging = { host = "https://127.0.0.1:1", token = "none" } }
}

resource "carvel_package_install" "test" {
  package              = var.package
  run_cluster          = "staging"
  namespace            = "apps"
  service_account_name = "delivery-sa"
  version_constraint   = var.version_constraint
  prereleases          = var.prereleases
  package_source       = var.source_kind
  values               = var.values
}

output "resolved_version" { value = carvel_package_install.test.resolved_version }
