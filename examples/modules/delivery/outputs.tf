output "health" {
  description = "What each run cluster runs: run cluster to package to its version, whether it is ready, and the controller's message."
  value = { for cluster, found in data.carvel_package_installs.this : cluster => {
    for install in found.package_installs : install.package => {
      version = install.version
      ready   = install.ready
      message = install.message
    }
  } }
}

output "commits" {
  description = "The commit that last wrote each package install, PACKAGE/RUN-CLUSTER to commit."
  value = merge([for cluster, set in carvel_package_installs.this : {
    for package in keys(var.packages) : "${package}/${cluster}" => set.commit
  }]...)
}
