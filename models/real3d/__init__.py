"""Real3D-Portrait (Ye et al., ICLR 2024): one-shot tri-plane talking portraits."""
