"""Settings that these networks were written for, against those in the `config.yaml` beside a checkpoint."""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

VIDEO_SETTINGS = {
    "final_resolution": "512",
    "neural_rendering_resolution": "128",
    "w_dim": "512",
    "base_channel": "32768",
    "max_channel": "512",
    "num_samples_coarse": "48",
    "num_samples_fine": "48",
    "box_warp": "1",
    "triplane_feature_type": "triplane",
    "triplane_depth": "1",
    "triplane_hid_dim": "32",
    "img2plane_backbone_scale": "standard",
    "img2plane_input_mode": "rgb",
    "pncc_cond_mode": "cano_src_tgt",
    "secc_segformer_scale": "b0",
    "phase1_plane_fusion_mode": "add",
    "weight_fuse": "true",
    "torso_model_version": "v2",
    "torso_kp_num": "4",
    "torso_inp_mode": "rgb_alpha",
    "htbsr_head_weight_fuse_mode": "v2",
    "htbsr_head_threshold": "0.9",
    "mask_invalid_rays": "false",
    "mul_torso_mask": "true",
    "torso_mask_dilate_ksize": "7",
    "large_sr": "false",
}
"""Of the video model. What a file does not name is at the released code's default, which is the one here."""
AUDIO_SETTINGS = {
    "audio_type": "hubert",
    "use_pitch": "true",
    "use_mouth_amp_embed": "true",
    "motion_type": "exp",
}
"""Of the audio-to-motion model."""

_SETTING = re.compile(r"(\w+):\s+(.+?)\s*(?:#.*)?")


def other_settings(checkpoint: Path, assumed: Mapping[str, str]) -> str:
    """What the file beside a checkpoint says otherwise, as a line; empty if nothing, or where it cannot be read.

    Only plain values at the outermost level are read.
    """
    path = checkpoint.parent / "config.yaml"
    found: dict[str, str] = {}
    with suppress(OSError):
        matches = map(_SETTING.fullmatch, path.read_text(encoding="utf-8", errors="replace").splitlines())
        found = {match[1]: match[2].strip("'\"") for match in matches if match is not None}
    others = [
        f"{name} {found[name]}, not {value}"
        for name, value in assumed.items()
        if name in found and _plain(found[name]) != _plain(value)
    ]
    return f"{path} has {'; '.join(others)}: these networks know the latter alone" if others else ""


def _plain(value: str) -> float | str:
    try:
        return float(value)
    except ValueError:
        return value.lower()
