output "pull_request" {
  description = "The pull request, and how it stands."
  value       = { url = carvel_pull_request.this.url, state = carvel_pull_request.this.state }
}

output "waiting" {
  description = "The packages whose change waits to be merged."
  value       = [for install in carvel_package_install.this : install.package if install.pending_commit != null]
}
