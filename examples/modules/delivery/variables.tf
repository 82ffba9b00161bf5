variable "packages" {
  description = <<-EOT
    What to deliver, by package name. values_yaml are YAML texts, later ones over earlier ones, for every run cluster.
    run_clusters has what one run cluster gets instead, or on top: its version and its own values.
  EOT
  type = map(object({
    version_constraint = string
    values_yaml        = optional(list(string), [])
    run_clusters = optional(map(object({
      version_constraint = optional(string)
      values_yaml        = optional(list(string), [])
    })), {})
  }))
}

variable "run_clusters" {
  description = "Where to deliver to: names in the provider's run_clusters, each with the namespace that the packages get there."
  type = map(object({
    namespace        = string
    create_namespace = optional(bool, true)
  }))

  validation {
    condition     = length(var.run_clusters) > 0
    error_message = "Name at least one run cluster."
  }
}

variable "build_namespace" {
  description = "Namespace on the build cluster that the Apps are in. It exists already."
  type        = string
}

variable "git_credentials_secret" {
  description = "Secret in build_namespace that the Apps read the repository with. It exists already. Null for a public repository."
  type        = string
  default     = null
}

variable "name" {
  description = "What the Apps and the kubeconfig Secrets are named after: NAME-RUN-CLUSTER and NAME-RUN-CLUSTER-kubeconfig."
  type        = string
  default     = "delivery"
}
