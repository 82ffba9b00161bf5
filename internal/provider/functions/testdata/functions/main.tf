terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "package" {
  type    = string
  default = "app.default.tap"
}

variable "version_under_test" {
  type    = string
  default = "1.2.3"
}

variable "versions" {
  type    = list(string)
  default = ["1.0.0", "1.10.0", "2.0.0-rc.1"]
}

variable "constraint" {
  type    = string
  default = ">=1.0.0"
}

variable "kubeconfig" {
  type      = string
  sensitive = true
}

output "path" {
  value = provider::carvel::package_install_path(var.package, "staging")
}

output "path_below_prefix" {
  value = provider::carvel::package_install_path(var.package, "staging", "clusters/apps")
}

output "matches" {
  value = provider::carvel::version_matches(var.version_under_test, var.constraint)
}

output "selected" {
  value = provider::carvel::select_version(var.versions, var.constraint)
}

output "selected_prerelease" {
  value = provider::carvel::select_version(var.versions, var.constraint, "rc")
}

output "none" {
  value = try(provider::carvel::select_version(var.versions, "9.9.9"), "none")
}

output "server" {
  value = nonsensitive(yamldecode(provider::carvel::portable_kubeconfig(var.kubeconfig)).clusters[0].cluster.server)
}

variable "ready_since" {
  type    = string
  default = "2026-01-01T00:00:00Z"
}

variable "soak" {
  type    = string
  default = "24h"
}

output "healthy" {
  value = provider::carvel::healthy_for(var.ready_since, var.soak, plantimestamp())
}

output "not_told" {
  value = provider::carvel::healthy_for(null, var.soak, plantimestamp())
}

output "same_values" {
  value = provider::carvel::values_digest(var.package, { replicas = 2, hosts = ["a"] }) == provider::carvel::values_digest(var.package, yamldecode("{hosts: [a], replicas: 2}"))
}
