"""Everything with a clock, a device or a wire."""
