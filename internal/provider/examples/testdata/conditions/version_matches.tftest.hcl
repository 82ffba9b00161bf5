mock_provider "carvel" {}

run "version_2" {
  command = plan

  variables {
    billing_version = "2.1.0"
  }
}

run "version_3" {
  command = plan

  variables {
    billing_version = "3.0.0"
  }

  expect_failures = [var.billing_version]
}
