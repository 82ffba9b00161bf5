# Every condition of this example once as it should be, and once not. What the repository and
# the run clusters say is made up, so that no cluster is needed; the functions are the
# provider's own.

mock_provider "carvel" {}

variables {
  package              = "app.default.tap"
  namespace            = "apps"
  service_account_name = "apps-sa"
  stage                = "prod"
  kubeconfigs          = {}
  now                  = "2026-11-27T12:00:00Z"
}

override_data {
  target = data.carvel_package.this
  values = {
    versions         = ["1.1.0", "1.0.0"]
    resolved_version = "1.1.0"
    released_at      = { "1.1.0" = "2026-11-20T12:00:00Z", "1.0.0" = null }
  }
}

# Staging has been well with 1.1.0 for just a day.
override_module {
  target = module.before
  outputs = {
    install = {
      namespace          = "apps", name = "app", package = "app.default.tap", version = "1.1.0", ready = true, message = "Reconcile succeeded",
      ready_since        = "2026-11-26T12:00:00Z"
      ready_since_reason = null
      # Of {replicas: 2, cache: true, hostname: app.staging.example.com}.
      values_digest = "4cbd540eb91a9d587e48834762fefe65"
    }
  }
}

run "promoted" {
  command = plan

  assert {
    condition     = carvel_package_install.this.version_constraint == "1.1.0" && carvel_package_install.this.values.replicas == 2
    error_message = "Prod gets version ${carvel_package_install.this.version_constraint} with ${jsonencode(carvel_package_install.this.values)}."
  }

  assert {
    condition     = carvel_package_install.this.values.hostname == "app.example.com"
    error_message = "Prod does not have its own hostname: ${jsonencode(carvel_package_install.this.values)}"
  }

  assert {
    condition     = output.released_at == "2026-11-20T12:00:00Z"
    error_message = "The version was released at ${output.released_at}."
  }
}

run "the_first_stage_gets_the_newest_version" {
  command = plan

  variables {
    stage = "dev"
  }

  assert {
    condition     = carvel_package_install.this.version_constraint == "1.1.0"
    error_message = "Dev gets version ${carvel_package_install.this.version_constraint}."
  }
}

run "a_second_before_the_soak_time" {
  command = plan

  variables {
    now = "2026-11-27T11:59:59Z"
  }

  expect_failures = [carvel_package_install.this]
}

run "not_installed_there" {
  command = plan

  override_module {
    target = module.before
    outputs = {
      install = null
    }
  }

  expect_failures = [carvel_package_install.this, check.newest_version]
}

run "not_healthy_there" {
  command = plan

  override_module {
    target = module.before
    outputs = {
      install = {
        namespace          = "apps", name = "app", package = "app.default.tap", version = "1.1.0", ready = false, message = "Deploying: Error",
        ready_since        = "2026-11-26T12:00:00Z"
        ready_since_reason = null
        values_digest      = "4cbd540eb91a9d587e48834762fefe65"
      }
    }
  }

  expect_failures = [carvel_package_install.this]
}

run "since_when_cannot_be_told" {
  command = plan

  override_module {
    target = module.before
    outputs = {
      install = {
        namespace          = "apps", name = "app", package = "app.default.tap", version = "1.1.0", ready = true, message = "Reconcile succeeded",
        ready_since        = null
        ready_since_reason = "its App cannot be read"
        values_digest      = "4cbd540eb91a9d587e48834762fefe65"
      }
    }
  }

  expect_failures = [carvel_package_install.this]
}

run "other_values_there" {
  command = plan

  override_module {
    target = module.before
    outputs = {
      install = {
        namespace          = "apps", name = "app", package = "app.default.tap", version = "1.1.0", ready = true, message = "Reconcile succeeded",
        ready_since        = "2026-11-26T12:00:00Z"
        ready_since_reason = null
        values_digest      = "another"
      }
    }
  }

  expect_failures = [carvel_package_install.this]
}

run "values_that_cannot_be_read" {
  command = plan

  override_module {
    target = module.before
    outputs = {
      install = {
        namespace          = "apps", name = "app", package = "app.default.tap", version = "1.1.0", ready = true, message = "Reconcile succeeded",
        ready_since        = "2026-11-26T12:00:00Z"
        ready_since_reason = null
        values_digest      = null
      }
    }
  }

  expect_failures = [carvel_package_install.this]
}

run "a_version_without_values" {
  command = plan

  variables {
    stage = "dev"
  }

  override_data {
    target = data.carvel_package.this
    values = {
      resolved_version = "1.2.0"
    }
  }

  expect_failures = [carvel_package_install.this]
}

run "behind_the_repository" {
  command = plan

  override_module {
    target = module.before
    outputs = {
      install = {
        namespace          = "apps", name = "app", package = "app.default.tap", version = "1.0.0", ready = true, message = "Reconcile succeeded",
        ready_since        = "2026-11-26T12:00:00Z"
        ready_since_reason = null
        values_digest      = "66b982ae12e1eec308c9f061dd3569d3"
      }
    }
  }

  expect_failures = [check.newest_version]
}
