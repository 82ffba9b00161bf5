variable "package" {
  description = "Name of the package to promote."
  type        = string
}

variable "stage" {
  description = "The stage whose run cluster this state has, one of the file stages: dev, staging or prod."
  type        = string
}

variable "stages" {
  description = "The YAML file with the stages."
  type        = string
  default     = "stages.yaml"
}

variable "releases" {
  description = "The YAML file with the values that go with each version."
  type        = string
  default     = "releases.yaml"
}

variable "namespace" {
  description = "Namespace of the package on each run cluster."
  type        = string
}

variable "service_account_name" {
  description = "ServiceAccount on the run clusters that deploys the package's content."
  type        = string
}

variable "now" {
  description = "The present time in RFC 3339, for tests. Without it, the time of the plan."
  type        = string
  default     = null
}
