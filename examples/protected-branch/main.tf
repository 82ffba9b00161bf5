# Delivery to one run cluster through a branch that takes no pushes: what is
# committed goes to a branch of this configuration's own, a pull request asks for
# its merge, and the App deploys what is merged.

terraform {
  required_version = ">= 1.11"

  required_providers {
    carvel = {
      source = "carvel-gitops/carvel"
    }
  }
}

# The environment has the rest: CARVEL_GIT_URL, CARVEL_GIT_USERNAME and
# CARVEL_GIT_PASSWORD for the GitOps repository, CARVEL_FORGE_TOKEN for the API of
# its host, KUBE_CONFIG_PATH for the build cluster.
provider "carvel" {
  git = {
    branch      = "main"
    push_branch = "terraform/${var.run_cluster}"
    http        = { certificate_authority = var.git_ca }
    forge       = { kind = var.forge_kind }
  }

  run_clusters = {
    (var.run_cluster) = { config_path = var.run_kubeconfig }
  }
}

resource "carvel_run_namespace" "this" {
  run_cluster = var.run_cluster
  name        = var.run_namespace
}

resource "carvel_kubeconfig_secret" "this" {
  run_cluster = var.run_cluster
  namespace   = var.build_namespace
  name        = "${var.run_namespace}-${var.run_cluster}-kubeconfig"

  service_account = {
    namespace = carvel_run_namespace.this.name
    name      = carvel_run_namespace.this.service_account_name
  }
}

# Committed to the push branch.
resource "carvel_package_install" "this" {
  for_each = var.packages

  package              = each.key
  run_cluster          = var.run_cluster
  service_account_name = carvel_run_namespace.this.service_account_name
  version_constraint   = each.value.version_constraint
  values_yaml          = [yamlencode(each.value.values)]

  # A destroy waits for the merge of the removal.
  timeouts = { delete = var.merge_timeout }
}

# Opened once all of them are pushed, and changed by later applies while it is
# open. "merged" has the apply wait for approval and merge; with "none" it ends
# at once, and the apply after the merge does the rest.
resource "carvel_pull_request" "this" {
  commits   = [for install in carvel_package_install.this : install.pending_commit]
  body      = "Asked for by the configuration of ${var.run_cluster}."
  reviewers = var.reviewers
  wait      = var.wait

  timeouts = {
    create = var.merge_timeout
    update = var.merge_timeout
  }
}

# Deploys what is on git.branch.
resource "carvel_app" "this" {
  namespace   = var.build_namespace
  name        = "${var.run_namespace}-${var.run_cluster}"
  run_cluster = var.run_cluster
  packages    = [for install in carvel_package_install.this : install.package]

  cluster = {
    namespace             = carvel_run_namespace.this.name
    kubeconfig_secret_ref = { name = carvel_kubeconfig_secret.this.name }
  }

  git_credentials = {
    username    = var.git_read_username
    password_wo = var.git_read_password
    version     = "1" # another text writes the credentials again
  }

  # A new commit of git.branch makes the App fetch at once, and apply waits until
  # the run cluster runs it. It is the package install's if the merge came before
  # this apply, and the request's if it came in the middle of it.
  wait_for_commits = [
    for install in carvel_package_install.this :
    install.commit != null ? install.commit : carvel_pull_request.this.merge_commit
  ]
}
