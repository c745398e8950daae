"""Profiles as files: JSON with a version and a checksum, written in one step, read with distrust."""

import hashlib
import json
import math
import os
import re
import tempfile
from pathlib import Path
from typing import Any, get_args

import numpy as np
from jaxtyping import Float32

from calibration.likeness import identity_points
from calibration.profile import FieldOfViewSource, Profile, RestPose
from models.audio.speaker_layer import HEADS, INPUTS, LARGEST, MEASURES, SpeakerLayer
from models.errors import InputError
from models.expression import eye_distance
from models.motion import COEFFICIENTS

VERSION = 1
"""Of the format; others are refused."""

_LEAST_BLINK = 0.02  # openness between open and closed eyes
_LARGEST = 1e3  # of any number in a profile
_FORMAT = "portrait-agent profile"
_MOST_BYTES = 16_000_000
_AGAIN = "make a new one with agent calibrate"
_DIGEST = re.compile("[0-9a-f]{64}")


def save_profile(profile: Profile, path: Path) -> None:
    """Writes the file, readable by its owner alone, in one step. Raises InputError where that is not possible."""
    content = _content(profile)
    document = {"format": _FORMAT, "version": VERSION, "checksum": _checksum(content), "content": content}
    try:
        handle, partial = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(document, file, separators=(",", ":"), allow_nan=False)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).replace(path)
        except BaseException:
            Path(partial).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}; choose another place") from None


def is_profile(path: Path) -> bool:
    """Whether a file is a profile, of any version and in any state."""
    try:
        with path.open("rb") as file:
            return _FORMAT.encode() in file.read(100)
    except OSError:
        return False


def load_profile(path: Path) -> Profile:
    """Reads a profile.

    Raises:
        InputError: no such file, not a profile, of another version, or damaged, and how.
    """
    document = _read(path)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise InputError(f"{path} is not a profile; {_AGAIN}")
    version = document.get("version")
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        age, remedy = ("a newer", "update this one, or ") if newer else ("another", "")
        raise InputError(f"{path} was made by {age} version of the agent (format {version}); {remedy}{_AGAIN}")
    content = document.get("content")
    if not isinstance(content, dict) or document.get("checksum") != _checksum(content):
        raise InputError(f"{path} is damaged: its checksum does not match; {_AGAIN}")
    try:
        return _profile(content)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        reason = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path} is damaged: {reason}; {_AGAIN}") from None


def _read(path: Path) -> Any:
    try:
        if not path.is_file():
            raise InputError(f"{path} is a folder; give a profile" if path.is_dir() else f"{path}: no such file")
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path} is not a profile: it is too large; {_AGAIN}")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError):  # bad UTF-8 too
        raise InputError(f"{path} is not a profile, or it was cut off: it is not JSON; {_AGAIN}") from None


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _content(profile: Profile) -> dict[str, Any]:
    rest = profile.rest
    return {
        "name": profile.name,
        "made": profile.made,
        "frames": profile.frames,
        "neutral": _numbers(profile.neutral),
        "rest": {"rotation": [*rest.rotation], "place": [*rest.place], "scale": rest.scale},
        "ranges": {
            name: _numbers(np.array(ends)) for name, *ends in zip(COEFFICIENTS, profile.low, profile.high, strict=True)
        },
        "eyes_closed": None if profile.eyes_closed is None else [*profile.eyes_closed],
        "eyes_open": [*profile.eyes_open],
        "field_of_view_deg": profile.field_of_view_deg,
        "field_of_view_source": profile.field_of_view_source,
        "proportions": _numbers(profile.proportions),
        "variation": _numbers(profile.variation),
        "speech": None if profile.speech is None else _speech_content(profile.speech),
    }


def _speech_content(speech: SpeakerLayer) -> dict[str, Any]:
    return {"network": speech.network, "weights": _numbers(speech.weights)}


def _numbers(array: np.ndarray) -> list[Any]:
    return np.round(array.astype(np.float64), 7).tolist()


def _profile(content: dict[str, Any]) -> Profile:
    """Raises KeyError, TypeError, ValueError or OverflowError for what is missing or no profile can hold."""
    size = 3 * len(identity_points())
    rest = content["rest"]
    ranges = _array([content["ranges"][name] for name in COEFFICIENTS], "ranges", (len(COEFFICIENTS), 2))
    source = content["field_of_view_source"]
    if source not in get_args(FieldOfViewSource):
        raise ValueError(f"the source '{source}' of its field of view is not known")
    made = RestPose(
        rotation=_triple(rest["rotation"]),
        place=_pair(rest["place"], "rest"),
        scale=_positive(rest["scale"], "rest"),
    )
    closed = None if content["eyes_closed"] is None else _pair(content["eyes_closed"], "eyes_closed")
    opened = _pair(content["eyes_open"], "eyes_open")
    if closed is not None and any(a < c + _LEAST_BLINK for a, c in zip(opened, closed, strict=True)):
        raise ValueError("its eyes are hardly more open than when closed")
    neutral = _array(content["neutral"], "neutral", (478, 3))
    if not 0.5 < eye_distance(neutral.astype(np.float64)) < 2.0:
        raise ValueError("'neutral' is no face")
    frames = int(content["frames"])
    if frames < 1:
        raise ValueError(f"'frames' is {frames}")
    return Profile(
        name=_printable(content["name"]),
        made=_printable(content["made"]),
        frames=frames,
        neutral=neutral,
        rest=made,
        low=np.ascontiguousarray(ranges[:, 0]),
        high=np.ascontiguousarray(ranges[:, 1]),
        eyes_closed=closed,
        eyes_open=opened,
        field_of_view_deg=_positive(content["field_of_view_deg"], "field_of_view_deg"),
        field_of_view_source=source,
        proportions=_array(content["proportions"], "proportions", (size,)),
        variation=_array(content["variation"], "variation", (-1, size)),
        speech=_speech(content.get("speech")),  # profiles that were made before have none
    )


def _speech(content: Any) -> SpeakerLayer | None:
    if content is None:
        return None
    network = content["network"]
    if not isinstance(network, str) or not _DIGEST.fullmatch(network):
        raise ValueError("'network' of its speech is no digest")
    weights = _array(content["weights"], "weights", (HEADS, len(MEASURES), INPUTS))
    if np.abs(weights).max() > LARGEST:
        raise ValueError("'weights' of its speech are beyond reason")
    return SpeakerLayer(network, weights)


def _array(value: Any, name: str, shape: tuple[int, ...]) -> Float32[np.ndarray, "..."]:
    array = np.array(value, np.float32)
    if array.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, array.shape, strict=True)):
        raise ValueError(f"'{name}' has the wrong shape {array.shape}")
    if not np.isfinite(array).all() or np.abs(array).max(initial=0) > _LARGEST:
        raise ValueError(f"'{name}' holds what is not a number, or one beyond reason")
    return array


def _printable(value: Any) -> str:
    """Text that a terminal shows as it is."""
    return "".join(c for c in str(value) if c.isprintable())[:100]


def _positive(value: Any, name: str) -> float:
    number = float(value)
    if not math.isfinite(number) or number <= 0:
        raise ValueError(f"'{name}' is not a positive number")
    return number


def _pair(value: Any, name: str) -> tuple[float, float]:
    a, b = _array(value, name, (2,)).tolist()
    return a, b


def _triple(value: Any) -> tuple[float, float, float]:
    a, b, c = _array(value, "rest", (3,)).tolist()
    return a, b, c
