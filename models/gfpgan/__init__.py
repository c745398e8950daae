"""GFPGAN, which several papers end with."""
