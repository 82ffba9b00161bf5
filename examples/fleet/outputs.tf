output "resolved_versions" {
  description = "Which version each run cluster gets, by run cluster and package."
  value       = { for cluster, set in carvel_package_installs.this : cluster => set.resolved_versions }
}
