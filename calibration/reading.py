"""What a person reads aloud for `agent calibrate --speech`, and how much of it was heard and seen."""

from dataclasses import dataclass

from calibration.guide import StepState

PASSAGE_S = 5.0
"""Of speech with a face; then the next passage comes."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing to read."""

    title: str
    hint: str
    """The text."""


PASSAGES = (
    Passage(
        "Read aloud, as you speak in a call",
        "Maybe we should move the blue boat over to the farm before the bell rings at noon. Or say anything else, in "
        "your own language.",
    ),
    Passage("Go on", "She sees three green trees, each with big brown apples, and a few warm yellow pears."),
    Passage("Go on", "Who would choose to wash a wool sweater in hot water? My brother Bob would, of course."),
    Passage("Last one", "Five fine violins play for the mayor, while people jump, laugh and shout in the market."),
)


class Reading:
    """Walks through `PASSAGES`."""

    steps = PASSAGES

    def __init__(self) -> None:
        self.states: list[StepState] = ["now" if passage is PASSAGES[0] else "todo" for passage in PASSAGES]
        """Of each passage."""
        self.index = 0
        """The passage that is on, or `len(PASSAGES)` at the end."""
        self._passage_s = 0.0
        self.speech_s = 0.0
        """Heard and seen so far."""

    @property
    def ended(self) -> bool:
        """Whether every passage is done or skipped."""
        return self.index == len(PASSAGES)

    @property
    def progress(self) -> float:
        """Of the passage that is on, 0..1."""
        return 1.0 if self.ended else min(1.0, self._passage_s / PASSAGE_S)

    def take(self, speech_s: float) -> None:
        """So much more speech was heard while a face was seen."""
        self.speech_s += speech_s
        self._passage_s += speech_s
        if self.progress >= 1 and not self.ended:
            self._go(self.index + 1, "done")

    def skip(self) -> None:
        """Leaves the passage that is on; what was read of it counts."""
        if not self.ended:
            self._go(self.index + 1, "skipped")

    def again(self) -> None:
        """Shows the passage before once more."""
        if not self.ended:
            self._go(max(0, self.index - 1), "todo")

    def _go(self, index: int, left: StepState) -> None:
        self.states[self.index] = left
        self.index, self._passage_s = index, 0.0
        if not self.ended:
            self.states[index] = "now"
