variable "staging_kubeconfig" { type = string }
variable "prod_kubeconfig" { type = string }
variable "name" { type = string }
variable "package" { type = string }
variable "git_ca" {
  type    = string
  default = null
}

variable "edited" {
  type    = bool
  default = false
}

provider "carvel" {
  git = {
    http = { certificate_authority = var.git_ca }
  }
}

# Everything that an App may say. It is paused, so that no controller needs to
# find what it names.
resource "carvel_app" "test" {
  namespace         = var.name
  name              = var.name
  labels            = { team = "a" }
  annotations       = { "example.com/note" = "b" }
  paused            = true
  canceled          = false
  noop_delete       = true
  sync_period       = "1h30m0s"
  default_namespace = "apps"

  cluster = {
    namespace             = "apps"
    kubeconfig_secret_ref = { name = "kubeconfig", key = "config" }
  }

  fetch = [
    {
      path = "releases"
      git = {
        url                   = "https://git.example.com/releases.git"
        ref_selection         = { semver = { constraints = ">=1.0.0", prereleases = { identifiers = ["rc"] } } }
        sub_path              = "config"
        secret_ref            = { name = "git" }
        lfs_skip_smudge       = true
        force_http_basic_auth = true
        depth                 = 0
      }
    },
    { git = { url = "git@git.example.com:apps/more.git", ref = "v1.0.0", depth = var.edited ? 2 : 1 } },
    { git = { ref_selection = { semver = { prereleases = {} } } } },
    { git = { sub_path = "a" } },
    {
      inline = {
        paths = { "a.yaml" = "a: b\n" }
        paths_from = [
          { secret_ref = { name = "files", directory_path = "dir" } },
          { config_map_ref = { name = "files" } },
        ]
      }
    },
    {
      image = {
        url           = "registry.example.com/apps/config"
        tag_selection = { semver = { constraints = "1.x" } }
        secret_ref    = { name = "registry" }
        sub_path      = "config"
      }
    },
    { imgpkg_bundle = { image = "registry.example.com/apps/bundle:1.0.0", secret_ref = { name = "registry" } } },
    {
      http = {
        url        = "https://example.com/config.tgz"
        sha256     = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        secret_ref = { name = "http" }
        sub_path   = "config"
      }
    },
    { helm_chart = { name = "nginx", version = "1.2.3", repository = { url = "oci://registry.example.com/charts", secret_ref = { name = "charts" } } } },
  ]

  template = [
    { sops = { pgp = { private_keys_secret_ref = { name = "pgp" } }, paths = ["secrets"] } },
    { sops = { age = { private_keys_secret_ref = { name = "age" } } } },
    { helm_template = {
      name               = "release"
      namespace          = "apps"
      path               = "8"
      values_from        = [{ path = "values.yaml" }]
      kubernetes_version = { version = "1.30.0" }
      kubernetes_apis    = { group_versions = ["apps/v1"] }
    } },
    { ytt = {
      ignore_unknown_comments = true
      strict                  = true
      inline                  = { paths = { "overlay.yaml" = "#! nothing\n" } }
      paths                   = ["-", "0/config"]
      file_marks              = ["0/**/*.txt:type=text-plain"]
      values_from = [
        { secret_ref = { name = "values" } },
        { config_map_ref = { name = "values" } },
        { downward_api = { items = [
          { name = "app.name", field_path = "metadata.name" },
          { name = "kubernetes", kubernetes_version = {} },
          { name = "controller", kapp_controller_version = { version = "0.53.0" } },
          { name = "apis", kubernetes_apis = {} },
        ] } },
      ]
    } },
    { kbld = { paths = ["-"] } },
    { cue = { paths = ["cue"], values_from = [{ path = "values.cue" }], input_expression = "in", output_expression = "out" } },
  ]

  deploy = {
    kapp = {
      into_ns     = "apps"
      map_ns      = ["a=b"]
      raw_options = ["--wait-timeout=1m"]
      inspect     = { raw_options = ["--tree=true"] }
      delete      = { raw_options = ["--apply-ignored=true"] }
    }
  }
}
