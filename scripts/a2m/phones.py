"""What the mouth does for each phone: targets and dominances of 15 curves, per IPA symbol.

Values are fractions of the widest opening (lipGap, jawOpen) or of ARKit's shapes. They follow what phonetics has
measured of lips and jaw: lip height falls much less from open to close front vowels than the jaw does; sibilants keep
the teeth together and the lips apart and spread; alveolar and velar consonants leave the lips to their neighbours;
bilabials close, and narrow the mouth a little; r and w are rounded.
"""

from dataclasses import dataclass

import numpy as np

from models.audio.curves import CURVES, INDEX

VISEMES = ("sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "RR", "WW", "aa", "E", "I", "O", "U", "Y", "ax")
SILENCE = ""
BILABIALS = frozenset("mbpɓ")
STOPS = frozenset("pbtdkɡgɓʈɖcɟqɢɗ")
VOICELESS_STOPS = frozenset("ptkʈcq")
NASALS_AND_STOPS = STOPS | frozenset("nŋɲɳɴ")

# jaw, gap, spread, pucker, funnel, viseme
_VOWELS = {
    "i": (0.28, 0.46, 0.75, 0.00, 0.00, "I"),
    "ɪ": (0.32, 0.46, 0.52, 0.00, 0.00, "I"),
    "e": (0.40, 0.54, 0.60, 0.00, 0.00, "E"),
    "ɛ": (0.52, 0.62, 0.45, 0.00, 0.00, "E"),
    "æ": (0.66, 0.72, 0.50, 0.00, 0.00, "aa"),
    "a": (0.74, 0.78, 0.28, 0.00, 0.00, "aa"),
    "ɐ": (0.50, 0.56, 0.15, 0.00, 0.00, "aa"),
    "ɑ": (0.74, 0.74, 0.10, 0.00, 0.05, "aa"),
    "ɒ": (0.60, 0.56, 0.00, 0.18, 0.40, "O"),
    "ʌ": (0.50, 0.56, 0.15, 0.00, 0.00, "aa"),
    "ə": (0.28, 0.36, 0.15, 0.00, 0.05, "ax"),
    "ɜ": (0.34, 0.38, 0.08, 0.08, 0.22, "ax"),
    "ɚ": (0.30, 0.32, 0.04, 0.12, 0.32, "ax"),
    "ɝ": (0.32, 0.34, 0.04, 0.12, 0.32, "ax"),
    "ɘ": (0.28, 0.36, 0.15, 0.00, 0.05, "ax"),
    "ɞ": (0.40, 0.42, 0.00, 0.10, 0.30, "ax"),
    "ɔ": (0.52, 0.48, 0.00, 0.35, 0.50, "O"),
    "o": (0.38, 0.33, 0.00, 0.62, 0.45, "O"),
    "ɵ": (0.30, 0.30, 0.00, 0.48, 0.35, "O"),
    "ʊ": (0.26, 0.26, 0.00, 0.60, 0.35, "U"),
    "u": (0.20, 0.15, 0.00, 0.92, 0.35, "U"),
    "ʉ": (0.20, 0.19, 0.00, 0.78, 0.35, "U"),
    "y": (0.20, 0.18, 0.00, 0.88, 0.40, "Y"),
    "ʏ": (0.24, 0.24, 0.00, 0.70, 0.40, "Y"),
    "ø": (0.34, 0.32, 0.00, 0.65, 0.45, "Y"),
    "œ": (0.46, 0.44, 0.00, 0.42, 0.50, "Y"),
    "ɶ": (0.60, 0.60, 0.00, 0.30, 0.45, "Y"),
    "ɨ": (0.26, 0.38, 0.40, 0.00, 0.00, "I"),
    "ɯ": (0.24, 0.34, 0.35, 0.00, 0.00, "I"),
    "ɤ": (0.36, 0.42, 0.20, 0.00, 0.00, "ax"),
}
VOWELS = frozenset(_VOWELS)

_SHORT = {
    "jaw": "jawOpen", "gap": "lipGap", "close": "mouthClose", "press": "mouthPress", "roll_lower": "mouthRollLower",
    "roll_upper": "mouthRollUpper", "upper_up": "mouthUpperUp", "lower_down": "mouthLowerDown", "tongue": "tongue",
    "funnel": "mouthFunnel", "pucker": "mouthPucker",
}  # fmt: skip

Targets = dict[str, tuple[float, float]]


def _consonant(**targets: tuple[float, float]) -> Targets:
    """Curve = (target, dominance)."""
    return targets


# symbols, viseme, targets; what is not listed has target 0 at the curve's weak default
_CONSONANTS = (
    ("m b p ɓ", "PP", _consonant(
        jaw=(0.14, 1.2), gap=(0.0, 1.6), close=(0.25, 6), press=(0.45, 5), roll_lower=(0.25, 4), roll_upper=(0.2, 4),
        spread=(0.0, 0.8), lower_down=(0.0, 3), upper_up=(0.0, 3))),
    ("f v ɱ ʋ ⱱ", "FF", _consonant(
        jaw=(0.12, 2), gap=(0.09, 4), roll_lower=(0.6, 6), upper_up=(0.22, 4), lower_down=(0.0, 3), spread=(0.3, 0.9),
        close=(0.05, 3))),
    ("ɸ β", "PP", _consonant(jaw=(0.12, 2), gap=(0.06, 9), close=(0.12, 8), press=(0.1, 5), pucker=(0.2, 1))),
    ("θ ð", "TH", _consonant(
        jaw=(0.2, 1.6), gap=(0.28, 2), tongue=(0.75, 8), spread=(0.15, 0.5), lower_down=(0.15, 2))),
    ("t d n ɾ ʈ ɖ ɳ ɗ", "DD", _consonant(
        jaw=(0.2, 1.0), gap=(0.34, 0.8), tongue=(0.3, 2), spread=(0.22, 0.3), lower_down=(0.15, 0.6))),
    ("l ɫ ɭ ʎ ɬ ɮ ɺ", "DD", _consonant(
        jaw=(0.28, 0.7), gap=(0.38, 0.7), tongue=(0.45, 3), spread=(0.15, 0.25), lower_down=(0.14, 0.5))),
    ("k ɡ g ŋ x ɣ q ɢ χ h ɦ ħ ʔ ʕ ʁ ʀ ɴ c ɟ ɲ ç ʝ ɰ ɧ", "kk", _consonant(
        jaw=(0.3, 0.35), gap=(0.38, 0.35), spread=(0.15, 0.1))),
    ("s z ɕ ʑ ʂ ʐ", "SS", _consonant(
        jaw=(0.1, 4), gap=(0.28, 2.5), spread=(0.45, 1.4), upper_up=(0.18, 3), lower_down=(0.32, 3))),
    ("ʃ ʒ", "CH", _consonant(
        jaw=(0.13, 4), gap=(0.28, 3), funnel=(0.72, 5), pucker=(0.3, 3), spread=(0.0, 3), upper_up=(0.2, 3),
        lower_down=(0.3, 3))),
    ("ɹ ɻ", "RR", _consonant(
        jaw=(0.22, 1.0), gap=(0.22, 1.6), funnel=(0.45, 2.2), pucker=(0.35, 1.8), spread=(0.0, 1.2))),
    ("r ʙ ɽ", "DD", _consonant(jaw=(0.24, 0.8), gap=(0.32, 0.8), tongue=(0.35, 2), spread=(0.08, 0.2))),
    ("w ʍ ɥ", "WW", _consonant(
        jaw=(0.16, 2.5), gap=(0.1, 5), pucker=(0.95, 6), funnel=(0.3, 3), spread=(0.0, 5))),
    ("j", "I", _consonant(jaw=(0.22, 1.2), gap=(0.34, 1.0), spread=(0.6, 1.5))),
)  # fmt: skip

_DEFAULT_DOMINANCE = {
    "lipGap": 0.25, "lipWide": 0.15, "lipRound": 0.25, "jawOpen": 0.25, "mouthClose": 0.6, "mouthFunnel": 0.25,
    "mouthPucker": 0.25, "mouthStretch": 0.15, "mouthSmile": 0.15, "mouthRollLower": 0.8, "mouthRollUpper": 0.8,
    "mouthPress": 0.8, "mouthUpperUp": 0.4, "mouthLowerDown": 0.4, "tongue": 0.8,
}  # fmt: skip

REST_GAP, REST_JAW = 0.14, 0.06
"""Of the mouth in a short pause; in a long one it closes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One phone: float64 [15] targets 0..1, float64 [15] dominances, number of the viseme."""

    target: np.ndarray
    dominance: np.ndarray
    viseme: int


def _row(viseme: str, targets: Targets) -> Row:
    target = np.zeros(len(CURVES))
    dominance = np.array([_DEFAULT_DOMINANCE[name] for name in CURVES])

    def put(name: str, value: float, weight: float) -> None:
        target[INDEX[name]], dominance[INDEX[name]] = value, weight

    for short, (value, weight) in targets.items():
        if short == "spread":
            put("lipWide", value, weight)
            put("mouthStretch", 0.55 * value, weight)
            put("mouthSmile", 0.45 * value, weight)
        else:
            put(_SHORT[short], value, weight)
    pucker, funnel = targets.get("pucker", (0.0, 0.0)), targets.get("funnel", (0.0, 0.0))
    if pucker[1] or funnel[1]:
        put("lipRound", min(1.0, pucker[0] + 0.4 * funnel[0]), max(pucker[1], funnel[1]))
    return Row(target, dominance, VISEMES.index(viseme))


def _vowel(jaw: float, gap: float, spread: float, pucker: float, funnel: float, viseme: str) -> Row:
    return _row(viseme, {
        "jaw": (jaw, 1.0), "gap": (gap, 1.0), "spread": (spread, 1.0), "pucker": (pucker, 1.2 if pucker > 0.3 else 0.6),
        "funnel": (funnel, 1.0 if funnel > 0.3 else 0.5), "lower_down": (0.4 * gap + 0.15 * spread, 1.0),
        "upper_up": (0.22 * gap + 0.1 * spread, 1.0),
    })  # fmt: skip


def _silence() -> Row:
    target = np.zeros(len(CURVES))
    target[INDEX["lipGap"]], target[INDEX["jawOpen"]] = REST_GAP, REST_JAW
    return Row(target, np.full(len(CURVES), 0.9), 0)


ROWS: dict[str, Row] = {SILENCE: _silence()}
ROWS |= {symbol: _vowel(*values) for symbol, values in _VOWELS.items()}
ROWS |= {symbol: _row(viseme, targets) for symbols, viseme, targets in _CONSONANTS for symbol in symbols.split()}

# 1/s: how fast a phone's dominance fades before and after it; slow is wide coarticulation
FADE = np.array([{
    "lipGap": (28, 28), "lipWide": (13, 16), "lipRound": (10, 14), "jawOpen": (18, 18), "mouthClose": (45, 45),
    "mouthFunnel": (11, 15), "mouthPucker": (10, 14), "mouthStretch": (13, 16), "mouthSmile": (13, 16),
    "mouthRollLower": (38, 38), "mouthRollUpper": (42, 42), "mouthPress": (45, 45), "mouthUpperUp": (24, 24),
    "mouthLowerDown": (24, 24), "tongue": (30, 30),
}[name] for name in CURVES], float)  # fmt: skip

_ALIASES = {
    "ʤ": "dʒ", "ʧ": "tʃ", "ʦ": "ts", "ʣ": "dz", "ᵻ": "ɪ", "ᵊ": "ə", "ʟ": "l", "á": "a", "ã": "a", "õ": "o", "ĩ": "i",
    "ũ": "u", "ẽ": "e",
}  # fmt: skip


def split(ipa: str) -> list[str]:
    """Known symbols in an IPA string; marks of length, stress, tone and the like are dropped."""
    return [s for letter in ipa for s in _ALIASES.get(letter, letter) if s in ROWS]


def shares(symbols: list[str]) -> np.ndarray:
    """How the time of several symbols in one segment is divided among them; sums to 1."""
    if len(symbols) == 2 and symbols[0] in STOPS:
        weights = np.array([0.45, 0.55])  # an affricate
    elif all(s in VOWELS for s in symbols):
        weights = np.linspace(1.2, 0.8, len(symbols))
    else:
        weights = np.array([1.15 if s in VOWELS else 0.8 for s in symbols])
    return weights / weights.sum()
