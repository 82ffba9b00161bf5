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
