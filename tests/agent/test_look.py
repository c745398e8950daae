"""What is shown, and what of it may stay on disk."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agent.look import Look, first_look
from runtime.change import Change, Upload


@pytest.fixture(scope="module")
def look(portrait_png: Path) -> Look:
    return first_look(portrait_png, (64, 64), "photo", "keep")


def test_only_what_the_command_line_names_may_stay_on_disk(look: Look, portrait_png: Path, tmp_path: Path) -> None:
    Image.fromarray(np.full((80, 80, 3), 90, np.uint8)).save(tmp_path / "wall.png")
    wall = Upload("wall.png", (tmp_path / "wall.png").read_bytes())
    photo = Upload("me.png", portrait_png.read_bytes())
    assert look.portrait.keepable
    assert look.changed(Change(background="blur")).portrait.keepable
    assert not look.changed(Change(background=wall)).portrait.keepable
    uploaded = look.changed(Change(portrait=photo))
    assert not uploaded.portrait.keepable
    assert not uploaded.changed(Change(background="#00ff00")).portrait.keepable
    both = look.changed(Change(background=wall)).changed(Change(portrait=photo))
    assert both.uploaded and not both.portrait.keepable
    assert look.changed(Change(background=wall)).changed(Change(background="keep")).portrait.keepable
