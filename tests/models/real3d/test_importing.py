"""Real3D-Portrait's released files, as far as their layout goes: found, checked, converted, kept."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.audio.hubert import Hubert, HubertSize
from models.audio.hubert_file import load_hubert
from models.checkpoint import size_bytes
from models.errors import AgentError, InputError
from models.importing import Import
from models.real3d import importing
from models.real3d.importing import Released, request
from models.real3d.needs import AUDIO, AUDIO_FILE, FACE_DATA, HUBERT_FILE, SEGMENTER_FILE, VIDEO, VIDEO_FILE
from models.real3d.release import Given
from models.real3d.settings import VIDEO_SETTINGS, other_settings
from models.weight_store import WeightStore, sha256
from tests.models.real3d.released import (
    AUDIO_FOLDER,
    NETWORKS,
    VIDEO_FOLDER,
    bring,
    entries,
    save_checkpoint,
    save_face_model,
    save_release,
)
from tests.models.real3d.test_segmentation import SELFIE

VIDEO_NETWORK, AUDIO_NETWORK = (released.network for released in NETWORKS)
TINY = HubertSize(sound=8, hidden=16, layers=1, heads=2, inner=8, position_kernel=4, position_groups=2)


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "data" / "real3d")


def stored(store: WeightStore, name: str) -> dict[str, torch.Tensor]:
    folder = store.current().folder
    assert folder is not None
    return load_file(folder / name)


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) and a[name].dtype == b[name].dtype for name in a)


def refusal(given: Given, store: WeightStore) -> str:
    """What an import that must not change anything says, in one line."""
    before = store.current()
    with pytest.raises(InputError) as caught:
        bring(given, store)
    assert store.current() == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_released_folder_is_converted(tmp_path: Path, store: WeightStore) -> None:
    release = save_release(tmp_path / "unpacked" / "240210_real3dportrait_orig")
    task = Import(request(Given(checkpoints=(tmp_path / "unpacked",)), NETWORKS))
    heard: list[int] = []
    task.run(store, heard.append)
    header_bytes = 2000
    assert task.total_bytes <= sum(heard) < task.total_bytes + header_bytes
    assert same(stored(store, VIDEO_FILE), entries(VIDEO_NETWORK))
    assert same(stored(store, AUDIO_FILE), entries(AUDIO_NETWORK))
    video = store.current().files[VIDEO_FILE]
    assert (video.source, video.step, video.tensors) == ("model_ckpt_steps_100000.ckpt", 100_000, 7)
    source = release / VIDEO_FOLDER / "model_ckpt_steps_100000.ckpt"
    assert (video.licence, video.source_sha256) == (VIDEO.licence, sha256(source))


@pytest.mark.parametrize("inner", [".", VIDEO_FOLDER])
def test_any_level_of_the_folder_may_be_named(tmp_path: Path, store: WeightStore, inner: str) -> None:
    release = save_release(tmp_path / "release")
    bring(Given(checkpoints=(release / inner,), without_audio=True), store)
    assert list(store.current().files) == [VIDEO_FILE]


@pytest.mark.parametrize("zipped", [True, False])
def test_checkpoints_are_known_by_what_is_in_them(tmp_path: Path, store: WeightStore, zipped: bool) -> None:
    audio = save_checkpoint(tmp_path / "a.ckpt", entries(AUDIO_NETWORK), zipped=zipped)
    video = save_checkpoint(tmp_path / "b.ckpt", entries(VIDEO_NETWORK), zipped=zipped)
    bring(Given(checkpoints=(audio, video)), store)
    assert same(stored(store, VIDEO_FILE), entries(VIDEO_NETWORK))
    assert same(stored(store, AUDIO_FILE), entries(AUDIO_NETWORK))


def test_the_checkpoint_of_the_most_steps_is_taken(tmp_path: Path, store: WeightStore) -> None:
    release = save_release(tmp_path)
    for step in (99_999, 9, 100_001):
        path = release / VIDEO_FOLDER / f"model_ckpt_steps_{step}.ckpt"
        save_checkpoint(path, entries(VIDEO_NETWORK, seed=step), step=step)
    bring(Given(checkpoints=(release,)), store)
    assert store.current().files[VIDEO_FILE].step == 100_001
    assert same(stored(store, VIDEO_FILE), entries(VIDEO_NETWORK, seed=100_001))


def test_the_audio_model_can_be_done_without(tmp_path: Path, store: WeightStore) -> None:
    release = save_release(tmp_path)
    bring(Given(checkpoints=(release,)), store)
    assert AUDIO_FILE in store.current().files
    (release / AUDIO_FOLDER / "model_ckpt_steps_400000.ckpt").unlink()
    told = refusal(Given(checkpoints=(release,)), WeightStore(tmp_path / "another"))
    assert "there is no audio-to-motion model" in told and "--without-audio" in told
    bring(Given(checkpoints=(release,), without_audio=True), store)
    assert list(store.current().files) == [VIDEO_FILE], "an older one does not stay"


def test_each_network_can_be_brought_in_when_the_other_is_there(tmp_path: Path, store: WeightStore) -> None:
    audio = save_checkpoint(tmp_path / "audio.ckpt", entries(AUDIO_NETWORK))
    assert "there is no video model" in refusal(Given(checkpoints=(audio,)), store)
    bring(Given(checkpoints=(save_release(tmp_path),), without_audio=True), store)
    bring(Given(checkpoints=(audio,)), store)
    assert sorted(store.current().files) == [AUDIO_FILE, VIDEO_FILE]
    video = save_checkpoint(tmp_path / "video.ckpt", entries(VIDEO_NETWORK, seed=5))
    bring(Given(checkpoints=(video,)), store)
    assert same(stored(store, AUDIO_FILE), entries(AUDIO_NETWORK))
    assert same(stored(store, VIDEO_FILE), entries(VIDEO_NETWORK, seed=5))


def test_what_can_be_done_without_is_told_with_its_faults(tmp_path: Path, store: WeightStore) -> None:
    for folder, optional in ((VIDEO_FOLDER, False), (AUDIO_FOLDER, True)):
        release = save_release(tmp_path / folder)
        (path,) = (release / folder).iterdir()
        path.write_bytes(b"half a")
        told = refusal(Given(checkpoints=(release,)), store)
        assert "damaged" in told and ("or leave it out with --without-audio" in told) == optional
    audio = save_checkpoint(path, entries(AUDIO_NETWORK) | {"extra": torch.ones(1)})
    assert "(extra), or leave it out with --without-audio" in refusal(Given(checkpoints=(audio,)), store)


def test_settings_beside_a_checkpoint_that_are_others_are_told(tmp_path: Path, store: WeightStore) -> None:
    release = save_release(tmp_path)
    settings = release / VIDEO_FOLDER / "config.yaml"
    told = partial(other_settings, assumed=VIDEO_SETTINGS)
    small = Released(replace(VIDEO_NETWORK, remark=told), VIDEO_FOLDER)
    task = Import(request(Given(checkpoints=(release,)), (small, NETWORKS[1])))
    assert task.run(store, lambda size: None) == ()
    settings.write_text("box_warp: 1.0  # side\nweight_fuse: True\nnested:\n  w_dim: 7\nlist: [1]\nw_dim: '512'\n")
    assert task.run(store, lambda size: None) == ()
    settings.write_text("htbsr_head_threshold: 0.5\nmul_torso_mask: true\nnum_samples_fine: 96 # more\n")
    assert task.run(store, lambda size: None) == (
        f"{settings} has num_samples_fine 96, not 48; htbsr_head_threshold 0.5, not 0.9: "
        "these networks know the latter alone",
    )
    assert all(
        each.network.remark(settings.with_name("x.ckpt")) == expected
        for each, expected in zip(importing.NETWORKS, (told(settings), ""), strict=True)
    )


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path, store: WeightStore) -> None:
    release = save_release(tmp_path)
    bring(Given(checkpoints=(release,)), store)
    video: dict[str, Any] = entries(VIDEO_NETWORK)
    video["0.weight"] = video["0.weight"][:, :2]
    video["extra"] = torch.ones(1)
    del video["1.bias"]
    audio = entries(AUDIO_NETWORK)
    audio["mel_encoder.bias"][1] = float("nan")
    save_checkpoint(release / VIDEO_FOLDER / "model_ckpt_steps_100000.ckpt", video)
    save_checkpoint(release / AUDIO_FOLDER / "model_ckpt_steps_400000.ckpt", audio)
    message = refusal(Given(checkpoints=(release,)), store)
    for told in (
        "not the video model that was released: 1 missing (1.bias); 1 not part of it (extra); "
        "1 of another shape (0.weight: [4, 2, 3, 3], not [4, 3, 3, 3])",
        "not the audio-to-motion model that was released: 1 not finite (mel_encoder.bias)",
    ):
        assert told in message


def test_a_network_given_twice_is_refused(tmp_path: Path, store: WeightStore) -> None:
    paths = tuple(save_checkpoint(tmp_path / name, entries(VIDEO_NETWORK)) for name in ("a.ckpt", "b.ckpt"))
    assert "are both the video model" in refusal(Given(checkpoints=paths), store)


def test_places_with_nothing_in_them_are_refused(tmp_path: Path, store: WeightStore) -> None:
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    nothing, nowhere, pipe = tmp_path / "empty", tmp_path / "nowhere", tmp_path / "pipe"
    assert "nothing to import" in refusal(Given(), store)
    for place, told in (
        (nothing, "nothing of it is in this folder"),
        (nowhere, "no such file or folder"),
        (pipe, "neither a file nor a folder"),
    ):
        assert f"--checkpoint {place}: {told}" in refusal(Given(checkpoints=(place,)), store)
        assert f"--face-data {place}: {told}" in refusal(Given(face_data=place), store)
        assert f"--hubert {place}: {told}" in refusal(Given(hubert=place), store)
        assert f"--segmenter {place}: {told}" in refusal(Given(segmenter=place), store)
        assert f"--face-model {place}: {told}" in refusal(Given(face_model=place), store)
    assert not store.folder.exists()


def test_a_folder_that_cannot_be_read_is_not_called_empty(
    tmp_path: Path, store: WeightStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert f"--hubert {tmp_path}: this folder cannot be read" in refusal(Given(hubert=tmp_path), store)


def test_an_interrupted_import_leaves_the_old_one(tmp_path: Path, store: WeightStore) -> None:
    bring(Given(checkpoints=(save_release(tmp_path / "old", seed=1),)), store)
    release = save_release(tmp_path / "new", seed=2)
    calls = len(_progress_calls(release, WeightStore(tmp_path / "other")))
    for stop_at in range(1, calls + 1):
        left = iter(range(1, stop_at))

        def stop(_: int, left: Any = left) -> None:
            if next(left, None) is None:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Import(request(Given(checkpoints=(release,)), NETWORKS)).run(store, stop)
        assert [path.name for path in store.folder.iterdir()] == ["1"]
        assert same(stored(store, VIDEO_FILE), entries(VIDEO_NETWORK, seed=1))


def _progress_calls(release: Path, store: WeightStore) -> list[int]:
    heard: list[int] = []
    Import(request(Given(checkpoints=(release,)), NETWORKS)).run(store, heard.append)
    return heard


def test_a_full_disk_leaves_the_old_one(tmp_path: Path, store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(Given(checkpoints=(save_release(tmp_path / "old", seed=1),)), store)
    release = save_release(tmp_path / "new", seed=2)
    real = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((real[0], 1, 9, 9, 9, *real[5:])))
    with pytest.raises(AgentError, match="make room") as caught:
        bring(Given(checkpoints=(release,)), store)
    assert caught.value.exit_code == 1
    monkeypatch.undo()
    assert same(stored(store, VIDEO_FILE), entries(VIDEO_NETWORK, seed=1))


def test_the_face_model_and_its_data_come_together_or_one_after_the_other(tmp_path: Path, store: WeightStore) -> None:
    mat = save_face_model(tmp_path / "mine.mat")
    save_face_model(tmp_path / "BFM_model_front.mat")
    data = tmp_path / "deep_3drecon"
    (data / "BFM").mkdir(parents=True)
    np.save(data / "BFM" / "index_mp468_from_mesh35709.npy", np.arange(468))
    np.save(data / "bfm_left_eye_faces.npy", np.array([3, 4]))
    assert "give --face-model with it" in refusal(Given(face_data=data), store)
    bring(Given(face_model=mat), store)
    assert list(store.current().files) == ["BFM_model_front.mat"]
    bring(Given(face_data=data), store)
    assert sorted(store.current().files) == [
        "BFM_model_front.mat",
        "bfm_left_eye_faces.npy",
        "index_mp468_from_mesh35709.npy",
    ]
    assert store.current().files["BFM_model_front.mat"].source == "mine.mat"
    bring(Given(face_model=tmp_path), store)
    assert store.current().files["BFM_model_front.mat"].source == "BFM_model_front.mat"


def test_a_face_model_or_data_of_no_use_is_refused_by_the_name_given(tmp_path: Path, store: WeightStore) -> None:
    (tmp_path / "text.mat").write_text("hello")
    assert refusal(Given(face_model=tmp_path / "text.mat"), store).startswith(
        f"{tmp_path / 'text.mat'} is not a MATLAB"
    )
    bring(Given(face_model=save_face_model(tmp_path / "good.mat")), store)
    np.save(tmp_path / "ncc_code.npy", np.zeros((3, 5)))
    assert refusal(Given(face_data=tmp_path), store).startswith(f"{tmp_path / 'ncc_code.npy'} holds float64 (3, 5)")
    assert FACE_DATA.files[1] == "ncc_code.npy"


def test_the_segmenter_is_opened(tmp_path: Path, store: WeightStore, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "selfie_multiclass_256x256.tflite"
    path.write_bytes(b"\x1c\0\0\0TFL3" + bytes(50))
    assert f"{path} is not a segmentation model" in refusal(Given(segmenter=tmp_path), store)
    path.write_bytes(SELFIE.read_bytes())
    assert f"{path} tells 1 classes apart" in refusal(Given(segmenter=path), store)
    monkeypatch.setattr("models.real3d.segmentation._LABELS", 1)
    bring(Given(segmenter=tmp_path), store)
    assert list(store.current().files) == [SEGMENTER_FILE]


def test_speech_features_are_kept_as_safetensors(
    tmp_path: Path, store: WeightStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "load_hubert", lambda path: load_hubert(path, TINY))
    weights = {name: value.detach() for name, value in Hubert(TINY).state_dict().items()}
    position = "encoder.pos_conv_embed.conv.weight"
    kernel = weights.pop(position)
    weights |= {f"{position}_g": torch.ones(1, 1, kernel.shape[2]), f"{position}_v": kernel}
    for name in ("pytorch_model.bin", "mine.pt", "mine.pth"):
        torch.save(weights, tmp_path / name)
        bring(Given(hubert=tmp_path / name), store)
        assert same(stored(store, HUBERT_FILE), weights)
        assert store.current().files[HUBERT_FILE].tensors == len(weights)
    save_file({name: 2 * value for name, value in weights.items()}, tmp_path / "model.safetensors")
    bring(Given(hubert=tmp_path), store)
    assert torch.equal(stored(store, HUBERT_FILE)[f"{position}_v"], 2 * kernel)
    torch.save({"w": [1]}, tmp_path / "other.bin")
    assert "other things than weights" in refusal(Given(hubert=tmp_path / "other.bin"), store)
    save_file({"w": torch.ones(2)}, tmp_path / "other.safetensors")
    assert refusal(Given(hubert=tmp_path / "other.safetensors"), store).startswith(
        f"{tmp_path / 'other.safetensors'} is not HuBERT-large"
    )


def test_the_networks_are_those_of_the_engine() -> None:
    expected = {each.network.part: each.network.expected() for each in importing.NETWORKS}
    assert {part: len(names) for part, names in expected.items()} == {VIDEO: 1030, AUDIO: 231}
    assert size_bytes(expected[VIDEO].values()) == 595_511_616
