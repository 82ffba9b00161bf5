variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "build_kubeconfig" { type = string }
variable "late" { type = map(string) }

# Stands for a cluster that the same run makes: its address is known after the
# apply alone.
resource "terraform_data" "late" {
  input = var.late
}

provider "carvel" {
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = { config_path = var.prod_kubeconfig }
    build   = { config_path = var.build_kubeconfig }
    down    = { host = "https://127.0.0.1:1", token = "none" }
    late = {
      host                   = terraform_data.late.output.host
      token                  = terraform_data.late.output.token
      cluster_ca_certificate = terraform_data.late.output.ca
    }
  }
}

resource "carvel_run_namespace" "known" {
  count       = 3
  run_cluster = ["staging", "prod", "build"][count.index]
  name        = var.name
}

resource "carvel_run_namespace" "late" {
  run_cluster = "late"
  name        = "${var.name}-late"
}
