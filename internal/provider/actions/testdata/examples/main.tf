# The examples are put beside this.
