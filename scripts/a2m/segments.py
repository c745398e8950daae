"""Segment: a phone and when it sounds."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from a2m import phones


@dataclass(frozen=True, slots=True)
class Segment:
    start: float
    """Seconds."""
    end: float
    phone: str
    """IPA symbol of `phones.ROWS`; empty for silence."""
    release: float | None = None
    """When the closure of a stop opens; None: not known."""


def expand(spans: Iterable[tuple[float, float, str]]) -> list[Segment]:
    """One segment per IPA symbol from (start, end, IPA string); neighbouring silences are merged."""
    out: list[Segment] = []
    for start, end, ipa in spans:
        if end <= start:
            continue
        symbols = phones.split(ipa) or [phones.SILENCE]
        if symbols == [phones.SILENCE] and out and out[-1].phone == phones.SILENCE:
            out[-1] = replace(out[-1], end=end)
            continue
        at = start
        for symbol, share in zip(symbols, phones.shares(symbols), strict=True):
            out.append(Segment(at, at + share * (end - start), symbol))
            at = out[-1].end
    return out


def moved(segments: Iterable[Segment], offset: float, scale: float = 1.0) -> list[Segment]:
    """Each instant t at offset + scale t."""
    return [
        Segment(
            offset + scale * s.start,
            offset + scale * s.end,
            s.phone,
            None if s.release is None else offset + scale * s.release,
        )
        for s in segments
    ]
