"""Tensors and values in, tensors and values out: no device, no socket, no clock."""
