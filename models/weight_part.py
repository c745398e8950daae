"""What an engine needs that does not come with this package."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """Files that belong together, from one place under one licence. Texts are phrases for a person."""

    title: str
    files: tuple[str, ...]
    """Their names in the user's store."""
    needed: bool
    """Whether the engine cannot do without."""
    option: str
    """Of `agent models import`, which brings them in."""
    source: str
    """Which files, and where to get them."""
    licence: str
    instead: str = ""
    """What happens without them, if they are not needed."""
    without: str = ""
    """Option of `agent models import` with which it may be left out of a release that has it."""
