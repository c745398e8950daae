"""Every setting, its one default and its meaning. The command line is made from these classes."""
