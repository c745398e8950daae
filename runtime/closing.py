"""An orderly end: every step is taken, whatever fails, and the first failure is what the caller hears of."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


class Ending:
    """Remembers the first failure of a run."""

    def __init__(self) -> None:
        self.failure: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Keeps `error` if it is the first."""
        if self.failure is None:
            self.failure = error

    @contextmanager
    def closing(self, steps: Sequence[Callable[[], object]]) -> Iterator[None]:
        """After the body, however it ends, takes all `steps` in order; raises the first failure of body or steps."""
        try:
            yield
        except BaseException as error:
            self.fail(error)
        for step in steps:
            try:
                step()
            except Exception as error:
                self.fail(error)
        if self.failure is not None:
            raise self.failure
