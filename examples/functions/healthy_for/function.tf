variable "billing_ready_since" {
  description = "ready_since of billing.default.tap on staging, null if it cannot be told."
  type        = string
  default     = null
}

# The time of the plan, also while that plan is applied.
output "billing_may_be_promoted" {
  value = provider::carvel::healthy_for(var.billing_ready_since, "24h", plantimestamp())
}
