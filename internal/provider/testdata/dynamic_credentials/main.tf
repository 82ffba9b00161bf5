variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

# HCP Terraform sets this one.
variable "tfc_kubernetes_dynamic_credentials" {
  type = object({
    default = object({ token_path = string })
    aliases = map(object({ token_path = string }))
  })
}

variable "clusters" { type = map(object({ host = string, ca = string })) }

provider "carvel" {
  run_clusters = {
    staging = {
      host                   = var.clusters["staging"].host
      cluster_ca_certificate = var.clusters["staging"].ca
      token_path             = var.tfc_kubernetes_dynamic_credentials.default.token_path
    }
    prod = {
      host                   = var.clusters["prod"].host
      cluster_ca_certificate = var.clusters["prod"].ca
      token_path             = var.tfc_kubernetes_dynamic_credentials.aliases["PROD"].token_path
    }
  }
}

resource "carvel_run_namespace" "test" {
  count       = 2
  run_cluster = ["staging", "prod"][count.index]
  name        = var.name
}
