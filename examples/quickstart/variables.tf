variable "staging_kubeconfig" {
  description = "Path of the kubeconfig for the run cluster staging."
  type        = string
}

variable "prod_kubeconfig" {
  description = "Path of the kubeconfig for the run cluster prod."
  type        = string
}

variable "git_ca_file" {
  description = "Path of the PEM file with the authority of the Git server's certificate, if the system does not know it."
  type        = string
  default     = null
}

variable "build_namespace" {
  description = "Namespace of the Apps on the build cluster. It exists already."
  type        = string
  default     = "dev"
}

variable "git_credentials_secret" {
  description = "Secret in build_namespace with the username and password that the Apps read the repository with. It exists already."
  type        = string
  default     = "gitops-credentials"
}

variable "version_constraint" {
  description = "Version of the package, or a range such as \">=0.0.0\" for the newest one."
  type        = string
  default     = "20230321004057.0.0"
}
