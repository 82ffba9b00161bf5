terraform {
  required_providers {
    carvel = { source = "carvel-gitops/carvel" }
  }
}

variable "git_url" { type = string }
variable "git_ca" { type = string }
variable "clusters" {
  type    = number
  default = 5
}
variable "packages" {
  type    = number
  default = 200
}
# The package on the first cluster that has another value than the others.
variable "odd" {
  type    = string
  default = ""
}

locals {
  clusters = [for i in range(var.clusters) : "cluster-${i}"]
  packages = [for i in range(var.packages) : "package-${i}.example.com"]
}

provider "carvel" {
  git = {
    url  = var.git_url
    http = { username = "u", password = "p", certificate_authority = var.git_ca }
  }
  # Committing files needs no connection to the clusters.
  run_clusters = { for name in local.clusters : name => { host = "https://127.0.0.1:1", token = "none" } }
}

resource "carvel_package_installs" "test" {
  for_each = toset(local.clusters)

  run_cluster          = each.key
  service_account_name = "delivery-sa"

  packages = tomap({ for name in local.packages : name => {
    version_constraint = "1.0.0"
    values             = { replicas = name == var.odd && each.key == "cluster-0" ? 3 : 2, name = "${name}-${each.key}" }
  } })
}
