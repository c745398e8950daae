"""What is measured: a column of the table each, with its meaning and where it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Protocol = Literal["self", "cross", "audio"]
Key = Literal[
    "l1", "psnr", "ssim", "lpips", "fid", "akd", "aed", "apd", "lmd", "lips", "csim", "sync_c", "sync_d", "lost"
]
KEYS: tuple[Key, ...] = get_args(Key)
Figures = Mapping[Key, float]
"""Those that could be measured."""

ALL: tuple[Protocol, ...] = get_args(Protocol)
OWN_PERSON = "talk3d"
"""The engine that draws a person of its own, wherever it likes, whose mouth the voice alone moves."""
_OF_ANYBODY: tuple[Key, ...] = ("lips", "sync_c", "sync_d", "lost")
"""What can be said of a person whose clip it is not."""


@dataclass(frozen=True, slots=True)
class Column:
    """One measure."""

    title: str
    digits: int
    """After the point."""
    better: Literal["less", "more"]
    protocols: tuple[Protocol, ...]
    """Those that it means something in."""
    meaning: str
    """In one sentence for the reader of a table."""


COLUMNS: Mapping[Key, Column] = {
    "l1": Column("L1", 4, "less", ("self",), "mean absolute difference of the pixels, 0 to 1"),
    "psnr": Column("PSNR", 2, "more", ("self",), "peak signal-to-noise ratio, dB"),
    "ssim": Column("SSIM", 3, "more", ("self",), "structural similarity (Wang et al. 2004), at most 1"),
    "lpips": Column("LPIPS", 3, "less", ("self",), "learned perceptual distance (Zhang et al. 2018)"),
    "fid": Column("FID", 1, "less", ALL, "Frechet distance of Inception's features (Heusel et al. 2017) from the "
                  "clips' pictures, under cross from the portraits, each once; of few pictures it is too large, and "
                  "compares only between engines in one table"),
    "akd": Column("AKD", 2, "less", ("self",), "mean distance of 68 landmarks (Siarohin et al. 2019), pixels"),
    "aed": Column("AED", 4, "less", ALL, "mean absolute difference of the 64 expression coefficients of our face model "
                  "(as Ren et al. 2021 with theirs: papers' values do not compare)"),
    "apd": Column("APD", 2, "less", ("self", "cross"), "angle of the turn from one head's rotation to the "
                  "other's, degrees (Ren et al. 2021 take differences of pose coefficients: papers' values do not "
                  "compare)"),
    "lmd": Column("LMD", 2, "less", ("self", "audio"), "mean distance of 20 lip landmarks once both mouths have the "
                  "same middle (Chen et al. 2018), pixels"),
    "lips": Column("lips r", 3, "more", ALL, "correlation of how far the lips are apart with the clip's over time; "
                   "none where either mouth hardly moves"),
    "csim": Column("CSIM", 3, "more", ALL, "identity similarity: cosine of ArcFace's vectors (Deng et al. 2019) of "
                   "the drawn face and the filmed one, under cross of the drawn face and the portrait"),
    "sync_c": Column("LSE-C", 2, "more", ("audio",), "SyncNet's confidence that lips and voice go together"),
    "sync_d": Column("LSE-D", 2, "less", ("audio",), "SyncNet's distance of lips and voice (Prajwal et al. 2020)"),
    "lost": Column("lost", 0, "less", ALL, "pictures without a face; distances of landmarks leave them out"),
}  # fmt: skip


def columns_of(protocol: Protocol) -> tuple[Key, ...]:
    """Those that a protocol measures, in the order of the table."""
    return tuple(key for key in KEYS if protocol in COLUMNS[key].protocols)


def judged_columns(protocol: Protocol, engine: str, own: bool) -> tuple[Key, ...]:
    """Those of them that mean something of an engine; `own`: the person whom it learnt is the clip's."""
    return tuple(key for key in columns_of(protocol) if engine != OWN_PERSON or own or key in _OF_ANYBODY)
