# RUN-CLUSTER: all packages that are installed on it
terraform import carvel_package_installs.prod prod

# RUN-CLUSTER/PACKAGE,PACKAGE: some of them
terraform import carvel_package_installs.prod prod/app.default.tap,db.default.tap

# Either with /values at the end: the values are read into the state as well
terraform import carvel_package_installs.prod prod/values
