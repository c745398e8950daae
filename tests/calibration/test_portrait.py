"""Photos read, placed, cut out and set before backgrounds."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from calibration.background import on_background, on_picture, still
from calibration.framing import Canvas
from calibration.photo import decode_photo, read_photo
from calibration.portrait import prepare_portrait
from models.errors import InputError
from models.landmarks import face_width, find_faces
from models.portrait import Portrait
from models.topology import CHIN, FACE_OVAL, FOREHEAD_TOP


@pytest.fixture(scope="module")
def astronaut(portrait_png):
    return read_photo(portrait_png)


def test_every_kind_of_picture_file_reads_as_the_same_rgb(astronaut, tmp_path):
    rgb = Image.fromarray(astronaut)
    grey16 = np.asarray(rgb.convert("L")).astype(np.uint16) * 257
    variants = {
        "rgba.png": (rgb.convert("RGBA"), 3.0),
        "palette.png": (rgb.convert("P", palette=Image.Palette.ADAPTIVE), 12.0),
        "cmyk.jpg": (rgb.convert("CMYK"), 12.0),
        "lossy.webp": (rgb, 12.0),
    }
    for name, (image, tolerance) in variants.items():
        image.save(tmp_path / name)
        difference = np.abs(read_photo(tmp_path / name).astype(int) - astronaut)
        assert difference.mean() < tolerance, name
    Image.fromarray(grey16).save(tmp_path / "grey16.png")
    rgb.convert("L").save(tmp_path / "grey.png")
    grey = read_photo(tmp_path / "grey.png")
    assert np.array_equal(read_photo(tmp_path / "grey16.png"), grey)
    assert np.array_equal(grey[..., 0], np.asarray(rgb.convert("L"))) and grey.shape[2] == 3


@pytest.mark.parametrize("orientation", range(2, 9))
def test_exif_orientation_is_undone(orientation, tmp_path):
    upright = np.zeros((20, 30, 3), np.uint8)
    upright[:5, :10] = (255, 0, 0)
    stored = {
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.transpose(a, (1, 0, 2)),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(np.transpose(a, (1, 0, 2)), 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation](upright)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_photo(tmp_path / "turned.png"), upright)


def test_transparent_parts_become_white(tmp_path):
    image = np.zeros((8, 8, 4), np.uint8)
    image[:4] = (200, 0, 0, 255)
    Image.fromarray(image).save(tmp_path / "cut.png")
    read = read_photo(tmp_path / "cut.png")
    assert (read[:4] == (200, 0, 0)).all() and (read[4:] == 255).all()


def test_bad_files_are_refused_with_the_reason(portrait_png, tmp_path):
    whole = tmp_path / "whole.jpg"
    Image.open(portrait_png).convert("RGB").save(whole)
    (tmp_path / "cut.jpg").write_bytes(whole.read_bytes()[:9000])
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    for name, reason in {
        "missing.png": "no such file",
        "cut.jpg": "damaged",
        "text.png": "is not a picture",
        "empty.jpg": "is not a picture",
        ".": "is a folder",
    }.items():
        with pytest.raises(InputError, match=reason):
            read_photo(tmp_path / name)


@pytest.mark.parametrize(
    ("size", "name", "read"),
    [
        ((6000, 7000), "photo.jpg", (3500, 3000)),
        ((6000, 7000), "photo.png", (3500, 3000)),
        ((5990, 7000), "photo.jpg", (7000, 5990)),
        ((5990, 7000), "photo.png", (7000, 5990)),
    ],
)
def test_photos_larger_than_any_output_are_read_at_a_fraction(size, name, read, tmp_path):
    image = Image.new("RGB", size, (200, 30, 90))
    image.paste((20, 160, 60), (0, 0, size[0] // 2, size[1] // 2))
    image.save(tmp_path / name)
    pixels = read_photo(tmp_path / name)
    assert pixels.shape == (*read, 3)
    np.testing.assert_allclose(pixels[read[0] // 4, read[1] // 4], (20, 160, 60), atol=3)
    np.testing.assert_allclose(pixels[-1, -1], (200, 30, 90), atol=3)


@pytest.mark.parametrize("side", [9000, 30_000])
def test_a_decompression_bomb_is_refused_unread(side, tmp_path):
    path = tmp_path / "bomb.png"
    Image.new("1", (side, side)).save(path)
    with pytest.raises(InputError, match="8000x8000"):
        read_photo(path)


def test_a_picture_without_a_face_is_refused():
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    with pytest.raises(InputError, match=r"wall\.jpg shows no human face"):
        prepare_portrait(noise, (256, 256), name="wall.jpg")


def test_a_face_that_is_too_small_is_refused_with_its_size(astronaut):
    small = np.asarray(Image.fromarray(astronaut[:300, 60:360]).resize((110, 110), Image.Resampling.LANCZOS))
    photo = np.full((330, 330, 3), 200, np.uint8)
    photo[100:210, 100:210] = small
    with pytest.raises(InputError, match=r"face in tiny\.png is \d\d pixels wide, at least 48"):
        prepare_portrait(photo, (256, 256), name="tiny.png")


def test_of_two_faces_the_larger_is_taken_and_said(astronaut):
    head = astronaut[0:260, 100:360]
    small = np.asarray(Image.fromarray(head).resize((170, 170), Image.Resampling.LANCZOS))
    photo = np.full((300, 500, 3), 180, np.uint8)
    photo[20:280, 10:270] = head
    photo[60:230, 310:480] = small
    portrait = prepare_portrait(photo, (500, 300), name="pair.jpg")
    assert portrait.landmarks[:, 0].mean() < 270, "the left one is larger"
    assert portrait.notes == ("shows 2 faces; the largest one is used",)


@pytest.mark.parametrize(("photo", "size"), [((300, 200), (512, 512)), ((1000, 500), (320, 640)), ((64, 64), (64, 64))])
def test_canvas_centres_and_never_exceeds(photo, size):
    canvas = Canvas.fit(photo, size)
    placed = canvas.place(np.zeros((photo[1], photo[0], 3), np.uint8))
    height, width = placed.image.shape[:2]
    assert width <= size[0] and height <= size[1]
    assert width == size[0] or height == size[1]
    assert abs(placed.left - (size[0] - width) / 2) <= 0.5 and abs(placed.top - (size[1] - height) / 2) <= 0.5


def test_landmarks_follow_the_photo_onto_the_canvas(astronaut):
    wide = np.pad(astronaut, ((0, 0), (100, 300), (0, 0)), mode="edge")
    plain, padded = prepare_portrait(astronaut, (512, 512)), prepare_portrait(wide, (456, 256))
    scale = 256 / 512
    expected = (plain.landmarks[:, :2] + [100, 0]) * scale
    assert np.abs(padded.landmarks[:, :2] - expected).max() < 2.5
    assert face_width(padded.landmarks) == pytest.approx(face_width(plain.landmarks) * scale, rel=0.05)


def test_person_over_background_gives_the_photo_back(astronaut):
    portrait = prepare_portrait(astronaut, (512, 512))
    assert portrait.person_scale == 1
    margin = portrait.person_margin
    person = portrait.person[margin:-margin, margin:-margin]
    again = person[..., :3] + portrait.background * (1 - person[..., 3:] / 255)
    inside = portrait.matte > 0.1
    assert np.abs(again - portrait.image)[inside].mean() < 1.0
    x, y = portrait.landmarks[:468, :2].mean(0).astype(int)
    assert portrait.matte[y, x] == 1 and portrait.matte[5, 5] < 0.05


def test_backgrounds(astronaut, tmp_path):
    Image.new("RGB", (40, 20), (9, 99, 199)).save(tmp_path / "wall.png")
    keep, colour, picture, blur = (
        prepare_portrait(astronaut, (256, 256), choice).background.astype(int)
        for choice in ("keep", "#204060", str(tmp_path / "wall.png"), "blur")
    )
    assert (colour == (0x20, 0x40, 0x60)).all()
    assert (picture == (9, 99, 199)).all()
    assert np.abs(np.diff(blur, axis=1)).max() < np.abs(np.diff(keep, axis=1)).max() / 4
    with pytest.raises(InputError, match="'sky-ish' is neither"):
        prepare_portrait(astronaut, (256, 256), "sky-ish")


def test_a_still_shows_the_person_before_the_chosen_background(astronaut):
    keep = prepare_portrait(astronaut, (256, 256))
    assert np.abs(still(keep).astype(int) - keep.image).mean() < 1
    green = still(on_background(keep, "#00ff00"))
    assert (green[keep.matte == 0] == (0, 255, 0)).all()
    assert np.array_equal(green[keep.matte == 1], keep.image[keep.matte == 1])
    assert still(on_background(keep, "transparent")) is keep.image


def test_another_background_changes_nothing_else(astronaut):
    keep = prepare_portrait(astronaut, (256, 256))
    cut_out = on_background(keep, "transparent")
    assert cut_out.background is None
    assert cut_out.person is keep.person and cut_out.matte is keep.matte
    assert on_background(keep, "keep") is keep
    with pytest.raises(ValueError, match="lost its background"):
        on_background(cut_out, "blur")


@pytest.mark.parametrize("size", [(256, 256), (64, 320), (320, 64)])
def test_a_background_picture_shows_its_middle_upright(astronaut, size):
    keep = prepare_portrait(astronaut, size)
    ramp = np.zeros((600, 900, 3), np.uint8)
    ramp[..., 0] = np.arange(900) * 255 // 900
    ramp[..., 1] = (np.arange(600) * 255 // 600)[:, None]
    shown = on_picture(keep, ramp).background.astype(int)
    width, height = size
    scale = max(width / 900, height / 600)
    across, down = width / scale / 900 * 255, height / scale / 600 * 255
    assert shown.shape == (height, width, 3)
    assert shown[height // 2, [0, -1], 0] == pytest.approx([127 - across / 2, 127 + across / 2], abs=6)
    assert shown[[0, -1], width // 2, 1] == pytest.approx([127 - down / 2, 127 + down / 2], abs=6)


@pytest.mark.parametrize("shape", [(16_000, 4), (4, 16_000), (1, 1)])
def test_a_background_picture_of_any_proportion_is_scaled_in_little_memory(astronaut, shape, monkeypatch):
    resize, asked = cv2.resize, []
    monkeypatch.setattr(cv2, "resize", lambda image, size, **how: (asked.append(size), resize(image, size, **how))[1])
    keep = prepare_portrait(astronaut, (256, 256))
    asked.clear()
    assert on_picture(keep, np.full((*shape, 3), 77, np.uint8)).background.tolist()[0][0] == [77, 77, 77]
    assert asked == [(256, 256)]


def test_a_file_in_memory_reads_as_on_disk_and_is_named_in_messages(portrait_png, astronaut):
    assert np.array_equal(decode_photo(portrait_png.read_bytes(), "me.png"), astronaut)
    with pytest.raises(InputError, match=r"^me\.png is not a picture"):
        decode_photo(b"hello", "me.png")


def test_a_name_longer_than_any_file_s_is_refused():
    with pytest.raises(InputError, match="cannot be read: file name too long"):
        read_photo(Path("p" * 300 + ".png"))


def test_a_file_of_gigabytes_is_refused_unread(tmp_path):
    with (tmp_path / "film.png").open("wb") as file:
        file.truncate(3 * 1024**3)  # sparse
    with pytest.raises(InputError, match="is larger than 512 MB"):
        read_photo(tmp_path / "film.png")


def picture_of(portrait: Portrait) -> np.ndarray:
    """The person over the background, at the picture's size."""
    edge = portrait.person_margin * portrait.person_scale
    person = portrait.person[edge:-edge, edge:-edge].astype(np.float32)
    height, width = portrait.matte.shape
    person = cv2.resize(person, (width, height), interpolation=cv2.INTER_AREA)
    return person[..., :3] + portrait.background * (1 - person[..., 3:] / 255)


@pytest.mark.parametrize("size", [(256, 256), (320, 180), (180, 320)])
def test_a_photo_with_more_pixels_than_the_picture_keeps_them(astronaut, size):
    portrait = prepare_portrait(astronaut, size)
    assert portrait.person_scale == 2
    fine = np.var(cv2.Laplacian(portrait.person[..., 1], cv2.CV_32F))
    coarse = np.var(cv2.Laplacian(cv2.resize(portrait.person[..., 1], None, fx=0.5, fy=0.5), cv2.CV_32F))
    assert fine > 0.3 * coarse  # not merely enlarged
    assert np.abs(picture_of(portrait) - portrait.image)[portrait.matte > 0.1].mean() < 1.5


@pytest.mark.parametrize("size", [(256, 256), (640, 360), (360, 640)])
def test_head_framing_fills_the_picture_with_head_and_shoulders(astronaut, size):
    portrait = prepare_portrait(astronaut, size, framing="head")
    top, chin = portrait.landmarks[FOREHEAD_TOP], portrait.landmarks[CHIN]
    assert 0.3 < (chin[1] - top[1]) / size[1] < 0.6
    assert top[1] > 0 and chin[1] < size[1]
    assert abs(portrait.landmarks[:468, 0].mean() - size[0] / 2) < 0.25 * size[0]
    again = find_faces(np.ascontiguousarray(portrait.image))[0]  # the landmarks belong to the pixels
    assert np.abs(again[:, :2] - portrait.landmarks[:, :2]).mean() < 0.02 * size[1]


def test_a_person_cut_off_by_the_edges_goes_on_beyond_them(astronaut):
    photo = np.ascontiguousarray(astronaut[30:200, 130:330])  # through hair and shoulders
    portrait = prepare_portrait(photo, (256, 256), framing="head")
    margin, scale = portrait.person_margin, portrait.person_scale
    alpha = portrait.person[..., 3]
    bottom = alpha[-(margin * scale) - 1] > 250
    assert bottom.any() and (alpha[-1, bottom] > 250).all()
    top = alpha[margin * scale] > 250
    assert not (alpha[0] > 0).any() or top.any()


def test_a_person_cut_off_aside_within_the_picture_goes_on_rounded_and_soft(astronaut):
    photo = np.ascontiguousarray(astronaut[:, 130:330])
    size = 256
    portrait = prepare_portrait(photo, (size, size))  # stands between borders of 78 pixels
    edge = portrait.person_margin * portrait.person_scale
    alpha = portrait.person[edge:-edge, edge:-edge, 3].astype(int)
    begins = 78 * portrait.person_scale
    lowest, shoulder = alpha[-1], alpha[int(0.75 * len(alpha))]
    assert lowest[begins + 1] > 250 and (lowest[begins - 20 : begins] > 250).all()
    for row in (lowest, shoulder):
        assert np.abs(np.diff(row[: begins + 2])).max() < 40, "no edge"
        assert (np.diff(row[: begins - 20]) >= -1).all(), "and it ends"
    assert (alpha[: len(alpha) // 4, : begins - 4] < 5).all(), "nothing beside the head"
    assert portrait.matte[-1, 70] > 0.9 and portrait.matte[10, 20] == 0
    assert np.abs(picture_of(portrait) - portrait.image)[portrait.matte > 0.1].mean() < 1.5


@pytest.mark.parametrize(("rows", "size"), [(210, (256, 256)), (211, (256, 256)), (210, (360, 640))])
def test_a_person_cut_off_below_within_the_picture_fades(astronaut, rows, size):
    portrait = prepare_portrait(np.ascontiguousarray(astronaut[:rows]), size)  # through the collar
    width, height = size
    ends = (height + rows * width // astronaut.shape[1]) // 2  # at times in the middle of a row of the picture
    below = portrait.matte[ends - 2 :].max(1)
    assert below[0] > 0.95 and below[-1] == 0
    assert np.abs(np.diff(below)).max() < 0.15, "no edge"
    body = width // 2  # through the dark collar
    assert np.abs(np.diff(portrait.matte[ends - 4 : ends + 4, body])).max() < 0.15, "no line through the body"
    below = portrait.matte[ends + round(0.02 * max(size)) :]
    assert np.abs(np.diff(below, axis=1)).max() < 0.3, "no upright edge beside the collar"
    around = portrait.image[ends - 4 : ends + 4, body].astype(int)
    assert np.abs(np.diff(around, axis=0)).max() < 25
    assert np.abs(picture_of(portrait) - portrait.image)[portrait.matte > 0.1].mean() < 1.5


@pytest.mark.parametrize(
    ("part", "size"), [(np.s_[:330, 185:275], (640, 360)), (np.s_[55:, :], (360, 640))], ids=["aside", "above"]
)
def test_a_face_beside_the_photo_s_edge_is_not_seen_again_beyond_it(astronaut, part, size):
    green, landmarks = astronaut.copy(), find_faces(astronaut)[0]
    cv2.fillConvexPoly(green, cv2.convexHull(landmarks[FACE_OVAL, :2].astype(np.int32)), (0, 255, 0))
    corner = np.float32([part[1].start or 0, part[0].start or 0, 0])
    portrait = prepare_portrait(np.ascontiguousarray(green[part]), size, landmarks=landmarks - corner)
    sheet = portrait.person.astype(int)
    shown = np.argwhere(sheet[..., 1] > 1.2 * sheet[..., [0, 2]].max(2) + 40)[:, ::-1]
    face = (portrait.landmarks[FACE_OVAL, :2] + portrait.person_margin) * portrait.person_scale
    assert len(shown)
    assert (shown >= face.min(0) - 4).all() and (shown <= face.max(0) + 4).all()


def test_postscript_is_no_picture_whatever_its_name(tmp_path):
    (tmp_path / "x.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with pytest.raises(InputError, match=r"x\.png is not a picture"):
        read_photo(tmp_path / "x.png")


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_photo_on_its_side_or_head_down_is_refused(astronaut, quarters):
    with pytest.raises(InputError, match=r"shows no human face|turn the photo upright"):
        prepare_portrait(np.ascontiguousarray(np.rot90(astronaut, quarters)), (128, 128))


def test_a_picture_wider_than_the_photo_goes_on_without_an_edge(astronaut):
    image = prepare_portrait(astronaut, (768, 512)).image[:150].astype(int)  # where no person touches the edge
    steps = np.abs(np.diff(image, axis=1)).mean((0, 2))
    for edge in (127, 639):  # from the last pixel beside the photo to its first, and the other way round
        assert steps[edge] < 2 * np.median(steps[140:630])
    assert steps[:40].mean() < 0.5 * np.median(steps[140:630]), "blurred far from the photo"


def test_a_picture_far_wider_than_the_photo_is_not_drawn_out_to_stripes(astronaut):
    image = prepare_portrait(np.ascontiguousarray(astronaut[:330, 130:250]), (1024, 330)).image.astype(float)
    bends = np.abs(np.diff(image[:, :300], 2, axis=0)).mean()  # beside the photo of 120 columns
    assert bends < 0.1
