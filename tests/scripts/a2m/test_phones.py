"""The phone table and the reading of IPA."""

import numpy as np
import pytest
from a2m import phones, text
from a2m.phones import ROWS
from a2m.segments import Segment, expand, moved

from models.audio.curves import INDEX


@pytest.mark.parametrize(
    ("ipa", "symbols"), [("aɪ", "aɪ"), ("tʃ", "tʃ"), ("oːɹ", "oɹ"), ("ʤ", "dʒ"), ("ˈpʰ", "p"), ("_", "")]
)
def test_ipa_is_split_into_known_symbols(ipa: str, symbols: str) -> None:
    assert phones.split(ipa) == list(symbols)


def test_time_is_shared_out_without_gaps() -> None:
    segments = expand([(0.0, 0.1, "m"), (0.1, 0.4, "aɪ"), (0.4, 0.5, ""), (0.5, 0.7, "_")])
    assert [s.phone for s in segments] == ["m", "a", "ɪ", ""]
    assert [s.end for s in segments[:-1]] == [s.start for s in segments[1:]]
    assert segments[-1].end == 0.7


def test_moved_segments_keep_their_order() -> None:
    (segment,) = moved([Segment(1.0, 1.2, "p", 1.1)], offset=2.0, scale=0.5)
    assert (segment.start, segment.end, segment.release) == pytest.approx((2.5, 2.6, 2.55))


@pytest.mark.parametrize(
    ("wider", "narrower", "curve"),
    [("a", "i", "jawOpen"), ("i", "u", "lipGap"), ("i", "u", "lipWide"), ("u", "i", "lipRound"), ("s", "w", "lipGap"),
     ("a", "ə", "lipGap"), ("f", "s", "mouthRollLower"), ("m", "n", "mouthPress")],
)  # fmt: skip
def test_phones_differ_as_mouths_do(wider: str, narrower: str, curve: str) -> None:
    assert ROWS[wider].target[INDEX[curve]] > ROWS[narrower].target[INDEX[curve]] + 0.05


def test_all_targets_are_fractions() -> None:
    for row in ROWS.values():
        assert row.target.min() >= 0
        assert row.target.max() <= 1
        assert (row.dominance > 0).all()


def test_every_language_can_be_spelled() -> None:
    import random

    from a2m import voices

    rng = random.Random(0)
    for language in {*voices.TRAIN_LANGUAGES, *voices.HELD_OUT_LANGUAGES, "ca", "mr"}:
        said = {text.sentence(language.split("-")[0], rng) for _ in range(20)}
        assert len(said) == 20
        assert np.mean([len(sentence) for sentence in said]) > 8
