"""What modules said aloud, without what threads of another test still say."""

import logging

import pytest


def warned(caplog: pytest.LogCaptureFixture, *modules: str) -> list[str]:
    """The warnings of these modules of ours."""
    return [
        record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING and record.name in modules
    ]
