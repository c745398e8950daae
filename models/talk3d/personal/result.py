"""A person's own networks in the user's store, as an import leaves those of others."""

import csv
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import torch

from models.checkpoint import write_tensors
from models.talk3d.needs import (
    ANGLES_FILE,
    DRIVER,
    EYES_FILE,
    GENERATOR,
    LANDMARKS_FILE,
    LATENT_FILE,
    PERSON,
    SPEECH,
    TURNS_FILE,
)
from models.talk3d.personal.footage import Footage
from models.talk3d.personal.procedure import Personal
from models.talk3d.recording import read_recording
from models.weight_part import Part
from models.weight_store import Replacement, Stock, StoredFile, WeightStore, link, sha256


def store_person(
    made: Personal, footage: Footage, store: WeightStore, speech: Stock, source: str, source_sha256: str, steps: int
) -> Path:
    """Writes a set that the engine takes; returns its folder.

    Args:
        made: what was learnt.
        footage: that it was learnt from.
        store: of this person; a set that is there goes.
        speech: the set that holds the speech network which the footage was heard with.
        source: what it was made of and how, as a phrase.
        source_sha256: of the video.
        steps: of the networks that make planes of speech.

    Raises AgentError: there is no room.
    """
    kept = speech.files[SPEECH.files[0]]
    with store.replacing(_bytes(made)) as new:

        def add(part: Part, name: str, tensors: int | None, step: int | None) -> None:
            path, now = new.folder / name, datetime.now().astimezone().isoformat(timespec="seconds")
            licence = part.licence
            new.add(
                StoredFile(name, path.stat().st_size, sha256(path), source, source_sha256, now, licence, tensors, step)
            )

        for part, entries, step in ((GENERATOR, made.generator, None), (DRIVER, made.driver, steps)):
            write_tensors(entries, new.place(part.files[0]))
            add(part, part.files[0], len(entries), step)
        _write_recording(made, footage, new)
        for name in PERSON.files:
            add(PERSON, name, None, None)
        assert speech.folder is not None
        link(speech.folder / kept.name, new.place(kept.name))
        new.add(replace(kept))
        read_recording(new.folder)
    folder = store.current().folder
    assert folder is not None
    return folder


def _write_recording(made: Personal, footage: Footage, new: Replacement) -> None:
    """Under the names that the authors' preparation gives these files."""
    tensors = {
        LATENT_FILE: made.latent[None],
        TURNS_FILE: made.turns,
        LANDMARKS_FILE: torch.from_numpy(footage.landmarks.copy()),
        ANGLES_FILE: torch.from_numpy(footage.angles.copy()),
    }
    for name, values in tensors.items():
        with new.place(name).open("wb") as file:
            torch.save(values.clone(), file)
    with new.place(EYES_FILE).open("w", encoding="utf-8", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(["frame", "AU45_r"])
        rows.writerows([number + 1, f"{shut:.4f}"] for number, shut in enumerate(footage.eyes))


def _bytes(made: Personal) -> int:
    networks = (*made.generator.values(), *made.driver.values())
    return sum(values.numel() * values.element_size() for values in networks) + 100 * len(made.turns)
