variable "fleet" {
  description = "The YAML file with the packages and the run clusters."
  type        = string
  default     = "fleet.yaml"
}

variable "stage" {
  description = "The stage whose run clusters this state has."
  type        = string
}

variable "build_namespace" {
  description = "Namespace of the Apps on the build cluster."
  type        = string
  default     = "fleet"
}

variable "run_namespace" {
  description = "Namespace on each run cluster that the packages are deployed into."
  type        = string
  default     = "fleet"
}

variable "git_credentials_secret" {
  description = "Secret on the build cluster that the Apps read the repository with."
  type        = string
  default     = "gitops-credentials"
}
