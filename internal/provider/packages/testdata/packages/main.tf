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

data "carvel_packages" "test" {
  run_cluster = var.run_cluster
  namespace   = var.namespace
}

output "found" {
  # Other tests have packages in the same repository.
  value = [for p in data.carvel_packages.test.packages : p if p.name == var.package]
}
