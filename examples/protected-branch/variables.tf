variable "run_cluster" {
  description = "The run cluster. Its name is in the push branch, so that each run cluster has one of its own."
  type        = string
  default     = "prod"
}

variable "run_kubeconfig" {
  description = "Path of the kubeconfig for the run cluster."
  type        = string
}

variable "run_namespace" {
  description = "Namespace on the run cluster that the packages are deployed into."
  type        = string
  default     = "apps"
}

variable "build_namespace" {
  description = "Namespace of the App on the build cluster. It exists already."
  type        = string
  default     = "dev"
}

variable "packages" {
  description = "The packages of the run cluster: name to version and values."
  type = map(object({
    version_constraint = string
    values             = optional(map(any), {})
  }))
}

variable "forge_kind" {
  description = "Kind of the Git host, where its name does not tell: gitea, github, gitlab, bitbucket, bitbucket_data_center or azure_devops."
  type        = string
  default     = null
}

variable "git_ca" {
  description = "PEM-encoded authority of the Git server's certificate, if the system does not know it."
  type        = string
  default     = null
}

variable "git_read_username" {
  description = "User that the App reads the repository as."
  type        = string
}

variable "git_read_password" {
  description = "Password of that user. It is not kept in the state."
  type        = string
  ephemeral   = true
}

variable "reviewers" {
  description = "Logins of those who are asked for a review."
  type        = set(string)
  default     = null
}

variable "wait" {
  description = "What an apply waits for: none, mergeable or merged."
  type        = string
  default     = "merged"
}

variable "merge_timeout" {
  description = "How long an apply waits for it."
  type        = string
  default     = "1h"
}
