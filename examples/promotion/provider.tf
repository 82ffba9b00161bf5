# The environment has the repository: CARVEL_GIT_URL, CARVEL_GIT_USERNAME and
# CARVEL_GIT_PASSWORD.
variable "git_ca" {
  description = "PEM-encoded authority of the Git server's certificate, where the system does not know it."
  type        = string
  default     = null
}

variable "staging_kubeconfig" {
  description = "Path of a kubeconfig that may list PackageInstalls and Apps in staging_namespace."
  type        = string
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }

  # Committing files needs no connection to prod.
  run_clusters = {
    staging = { config_path = var.staging_kubeconfig }
    prod    = {}
  }
}
