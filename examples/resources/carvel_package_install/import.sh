# PACKAGE/RUN-CLUSTER
terraform import carvel_package_install.app app.default.tap/staging
