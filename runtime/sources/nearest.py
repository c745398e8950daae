"""Pictures at given instants, whatever the rate of their source."""

from collections.abc import Iterable, Iterator

from models.portrait import Pixels
from runtime.frame import Frame

_LASTS_NS = 20_000_000  # the last picture


def nearest(frames: Iterable[Frame], instants_ns: Iterable[int]) -> Iterator[tuple[int, Pixels]]:
    """Each instant, and the picture nearest to it, of two the earlier; until 20 ms after the last picture.

    Args:
        frames: in order.
        instants_ns: rising, on the frames' clock; may be endless.
    """
    due = iter(instants_ns)
    due_ns, before = next(due, None), None
    for frame in frames:
        while due_ns is not None and before is not None and frame.pts_ns - due_ns >= due_ns - before.pts_ns:
            yield due_ns, before.image
            due_ns = next(due, None)
        if due_ns is None:
            return
        before = frame
    while due_ns is not None and before is not None and due_ns - before.pts_ns <= _LASTS_NS:
        yield due_ns, before.image
        due_ns = next(due, None)
