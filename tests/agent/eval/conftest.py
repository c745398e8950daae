"""The clip of the commands' tests."""

from tests.agent.conftest import nodding

__all__ = ["nodding"]
