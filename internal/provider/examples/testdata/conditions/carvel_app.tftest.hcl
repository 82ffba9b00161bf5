mock_provider "carvel" {}

run "follows" {
  command = plan

  override_data {
    target = data.carvel_app.staging
    values = {
      ready   = true
      in_sync = true
    }
  }
}

run "not_ready" {
  command = plan

  override_data {
    target = data.carvel_app.staging
    values = {
      ready   = false
      in_sync = true
    }
  }

  expect_failures = [check.staging_follows_the_repository]
}

run "not_in_sync" {
  command = plan

  override_data {
    target = data.carvel_app.staging
    values = {
      ready   = true
      in_sync = false
    }
  }

  expect_failures = [check.staging_follows_the_repository]
}
