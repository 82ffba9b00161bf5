# What the module refuses, without a cluster.

mock_provider "carvel" {
  # The text that OpenTofu makes up is not the name of a ServiceAccount.
  mock_resource "carvel_run_namespace" {
    defaults = { service_account_name = "apps-sa" }
  }
}

variables {
  packages        = { "app.default.tap" = { version_constraint = "1.0.0" } }
  build_namespace = "dev"
}

run "no_run_cluster" {
  command = plan

  variables {
    run_clusters = {}
  }

  expect_failures = [var.run_clusters]
}

run "one_run_cluster" {
  command = plan

  variables {
    run_clusters = { staging = { namespace = "apps" } }
  }
}
