output "commits" {
  description = "The commit that last wrote the files of each run cluster."
  value       = { for name, install in carvel_package_install.app : name => install.commit }
}

output "apps" {
  description = "What the controller says of each App."
  value       = { for name, app in carvel_app.app : name => app.status.condition }
}
