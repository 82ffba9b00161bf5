variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "after" {
  type    = bool
  default = false
}

# Stands for what makes the cluster.
resource "terraform_data" "cluster" {
  input = var.staging_kubeconfig
}

provider "carvel" {
  run_clusters = {
    staging = { config_path = terraform_data.cluster.output }
  }
}

data "carvel_package_installs" "early" {
  count       = var.after ? 0 : 1
  run_cluster = "staging"
  namespace   = var.name
}

data "carvel_package_installs" "after" {
  count       = var.after ? 1 : 0
  depends_on  = [terraform_data.cluster]
  run_cluster = "staging"
  namespace   = var.name
}

output "installs" {
  value = length(one(data.carvel_package_installs.after[*].package_installs))
}
