"""Which engines there are, and what runs their networks."""

from typing import Literal, get_args

EngineName = Literal["builtin", "small", "real3d", "goha", "talk3d"]

ENGINES: tuple[EngineName, ...] = get_args(EngineName)

NetworkEngineName = Literal["real3d", "goha", "talk3d"]
"""Engines whose weights a user brings in."""

BuildableName = Literal["small", "real3d", "goha", "talk3d"]
"""Engines that run networks."""

BackendName = Literal["auto", "torch", "cudagraph", "onnx", "tensorrt"]

ComparedName = EngineName | Literal["still"]
"""An engine, or the source picture, unmoved."""
