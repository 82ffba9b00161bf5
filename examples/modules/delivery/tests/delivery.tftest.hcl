# Delivers a package to two run clusters, then its next version, and removes it.
# The package has the versions 1.0.0 and 1.1.0. `make test` runs this file in
# the lab; fixture/main.tf says which variables it needs.

run "deliver" {
  module {
    source = "./tests/fixture"
  }

  variables {
    version_constraint = "1.0.0"
    hostname           = "app.staging.example.com"
    prod_hostname      = "app.example.com"
  }

  assert {
    condition     = toset(keys(output.health)) == toset(["staging", "prod"])
    error_message = "The health of other run clusters: ${jsonencode(output.health)}"
  }

  assert {
    condition     = alltrue([for packages in output.health : packages[var.package].ready && packages[var.package].version == "1.0.0"])
    error_message = "Version 1.0.0 does not run everywhere: ${jsonencode(output.health)}"
  }
}

run "upgrade" {
  module {
    source = "./tests/fixture"
  }

  variables {
    version_constraint = ">=1.0.0"
    hostname           = "app.staging.example.com"
    prod_hostname      = "app.example.com"
    commits_before     = run.deliver.commits
  }

  assert {
    condition     = alltrue([for packages in output.health : packages[var.package].ready && packages[var.package].version == "1.1.0"])
    error_message = "Version 1.1.0 does not run everywhere: ${jsonencode(output.health)}"
  }

  assert {
    condition     = alltrue([for key, commit in output.commits : commit != var.commits_before[key]])
    error_message = "A package install was not committed again."
  }
}

# OpenTofu removes everything with the variables of the last run, and cannot if
# they have outputs of another.
run "again" {
  module {
    source = "./tests/fixture"
  }

  variables {
    version_constraint = ">=1.0.0"
    hostname           = "app.staging.example.com"
    prod_hostname      = "app.example.com"
  }

  assert {
    condition     = alltrue([for packages in output.health : packages[var.package].ready && packages[var.package].version == "1.1.0"])
    error_message = "Version 1.1.0 does not run everywhere any more: ${jsonencode(output.health)}"
  }
}
