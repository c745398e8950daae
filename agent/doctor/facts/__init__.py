"""What the machine says of itself, without opening a device. Nothing here raises for what is missing."""
