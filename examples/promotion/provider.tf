# The environment has the repository: CARVEL_GIT_URL, CARVEL_GIT_USERNAME and
# CARVEL_GIT_PASSWORD.
variable "git_ca" {
  description = "PEM-encoded authority of the Git server's certificate, if the system does not know it."
  type        = string
  default     = null
}

variable "kubeconfigs" {
  description = <<-EOT
    For each stage that another one follows, the path of a kubeconfig that may list PackageInstalls and Apps, and get Secrets, in the
    namespace.
  EOT
  type        = map(string)
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }

  # Committing files needs no connection to the stage itself.
  run_clusters = { for stage in keys(yamldecode(file(var.stages))) : stage => { config_path = lookup(var.kubeconfigs, stage, null) } }
}
