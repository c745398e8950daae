"""What each kind of video file carries."""

from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError

# In fragments, which play even where the last is torn off; closing makes one plain file of them, in place.
_FRAGMENTS = "frag_keyframe+empty_moov+delay_moov+default_base_moof+hybrid_fragmented"


@dataclass(frozen=True, slots=True)
class Codecs:
    """How pictures and sound are encoded in a container."""

    video: str
    pixel_format: str
    video_options: dict[str, str]
    audio: str
    live_options: dict[str, str]
    """Of the container, so that what was written by then survives a killed process."""


_FLUSH = {"flush_packets": "1"}
_FRAGMENTED = {"movflags": _FRAGMENTS, **_FLUSH}
_X264 = {"preset": "veryfast", "crf": "18"}
_VP9 = {"crf": "24", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
# A fixed quantizer (in units of 118) is five times as fast as ProRes's own search for a size.
_PRORES = {"profile": "4444", "alpha_bits": "8", "flags": "+qscale", "global_quality": f"{4 * 118}"}
_MP4 = Codecs("libx264", "yuv420p", _X264, "aac", _FRAGMENTED)
_MKV = Codecs("libx264", "yuv420p", _X264, "aac", _FLUSH)
_WEBM = Codecs("libvpx-vp9", "yuv420p", _VP9, "libopus", _FLUSH)
_OPAQUE = {".mp4": _MP4, ".mov": _MP4, ".mkv": _MKV, ".webm": _WEBM}
_TRANSPARENT = {
    ".mov": Codecs("prores_ks", "yuva444p10le", _PRORES, "aac", _FRAGMENTED),
    ".webm": Codecs("libvpx-vp9", "yuva420p", _VP9 | {"auto-alt-ref": "0"}, "libopus", _FLUSH),
}

EXTENSIONS = tuple(_OPAQUE)
"""The file name extensions of videos that can be written."""
TRANSPARENT_EXTENSIONS = tuple(_TRANSPARENT)
"""Those that can carry transparency."""


def codecs_for(path: Path, transparent: bool) -> Codecs:
    """How to write a file. Raises InputError where its extension says nothing, or nothing that is transparent."""
    known = _TRANSPARENT if transparent else _OPAQUE
    codecs = known.get(path.suffix.lower())
    if codecs is None:
        what = "transparent pictures to " if transparent else ""
        raise InputError(f"Cannot write {what}{path.name}: choose a name that ends in {', '.join(known)}.")
    return codecs
