variable "billing_version" {
  description = "Version of billing.default.tap to deliver."
  type        = string

  validation {
    condition     = provider::carvel::version_matches(var.billing_version, ">=2.0.0 <3.0.0")
    error_message = "Production runs version 2 of billing."
  }
}
