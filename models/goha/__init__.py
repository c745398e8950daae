"""GOHA (Li et al., "Generalizable One-shot 3D Neural Head Avatar", NeurIPS 2023)."""
