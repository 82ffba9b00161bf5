# The provider has git.push_branch and git.forge.
resource "carvel_pull_request" "staging" {
  commits = [
    carvel_package_install.app.pending_commit,
    carvel_package_installs.prod.pending_commit,
  ]
}

# Merged by the host as soon as its rules allow that, and waited for. A
# configuration has one request: this is another one's.
resource "carvel_pull_request" "merged" {
  commits   = [carvel_package_install.app.pending_commit]
  title     = "Deliver the shop"
  body      = "See the [runbook](https://wiki.example.com/shop)."
  labels    = ["delivery"]
  reviewers = ["alice", "team:platform"]

  auto_merge    = true
  merge_method  = "squash"
  delete_branch = true

  wait     = "merged"
  timeouts = { create = "1h", update = "1h" }
}
