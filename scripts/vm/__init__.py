"""A virtual machine with a real kernel, in which this checkout meets real virtual cameras."""
