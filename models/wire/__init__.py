"""Motion as bytes: quantised, entropy-coded, in packets. docs/motion_wire.md describes every byte."""
