# PACKAGE/RUN-CLUSTER
terraform import carvel_package_install.app app.default.tap/staging

# PACKAGE/RUN-CLUSTER/values: the values are read into the state as well
terraform import carvel_package_install.app app.default.tap/staging/values
