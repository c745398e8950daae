"""Networks of published measures, with stand-ins for the weights that a user brings."""

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch.nn import functional as fn

from calibration.photo import read_photo
from models.errors import InputError
from models.landmarks import find_faces
from models.metrics.cepstrum import cepstrum
from models.metrics.face_cutter import SIDE, FaceCutter, cut_face
from models.metrics.identity import FaceIdentity, aligned
from models.metrics.inception import Inception
from models.metrics.lpips import Lpips
from models.metrics.sync import SyncNet
from models.topology import LEFT_IRIS, RIGHT_IRIS
from tests.models.metrics.files import alexnet, saved

pytestmark = pytest.mark.usefixtures("one_thread")

BOX = np.array([[60, 40, 0], [160, 140, 0]], np.float32)


def test_lpips_is_a_weighted_distance_of_unit_features(tmp_path):
    backbone, linear = alexnet()
    lpips = Lpips.read(*saved(tmp_path, backbone, linear))
    a, b = (np.random.default_rng(i).integers(0, 255, (64, 64, 3), np.uint8) for i in range(2))

    def features(image):
        x = torch.tensor(image / 127.5 - 1, dtype=torch.float32).permute(2, 0, 1)
        x = (x - torch.tensor([-0.030, -0.088, -0.188])[:, None, None]) / torch.tensor([0.458, 0.448, 0.450])[
            :, None, None
        ]
        for i, (stride, padding, pools) in {
            0: (4, 2, 0),
            3: (1, 2, 1),
            6: (1, 1, 1),
            8: (1, 1, 0),
            10: (1, 1, 0),
        }.items():
            x = fn.max_pool2d(x, 3, 2) if pools else x
            x = fn.relu(fn.conv2d(x, backbone[f"features.{i}.weight"], backbone[f"features.{i}.bias"], stride, padding))
            yield x / x.norm(dim=0)

    by_hand = sum(
        float((weight[0] * (fa - fb) ** 2).sum(0).mean())
        for weight, fa, fb in zip(linear.values(), features(a[None][0]), features(b), strict=True)
    )
    assert lpips.distance(a, b) == pytest.approx(by_hand, rel=1e-4) and by_hand > 0.01
    assert lpips.distance(a, a) == 0


def test_equal_pictures_have_finite_gradients_even_where_no_feature_answers(tmp_path):
    backbone, linear = alexnet()
    backbone["features.10.bias"] -= 100
    lpips = Lpips.read(*saved(tmp_path, backbone, linear))
    wanted = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    seen = wanted.clone().requires_grad_()
    apart = lpips.between(seen, wanted)
    apart.sum().backward()
    assert apart.tolist() == [0, 0] and seen.grad is not None and not seen.grad.any()


def test_a_step_along_the_gradient_brings_pictures_nearer(tmp_path):
    lpips = Lpips.read(*saved(tmp_path, *alexnet()))
    seen, wanted = (torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(i)) * 2 - 1 for i in range(2))
    before = lpips.between(seen.requires_grad_(), wanted)
    (slope,) = torch.autograd.grad(before.sum(), seen)
    after = lpips.between(seen - 0.1 * slope / slope.abs().max(), wanted)
    assert (after < before).all()


def test_files_that_are_not_lpips_cost_one_line(tmp_path):
    backbone, linear = alexnet()
    other = {name: value[..., :3, :3] if value.ndim == 4 else value for name, value in backbone.items()}
    short = {name: value for name, value in linear.items() if "lin4" not in name}
    for contents, complaint in {
        "no weights": (({"a": torch.zeros(1)}, linear), "neither torchvision's VGG16 nor its AlexNet"),
        "other shapes": ((other, linear), "is not vgg16 with the linear layers of 1.pth: .* missing"),
        "too few layers": ((backbone, short), "is not the linear layers of LPIPS: give weights/v0.1/alex.pth"),
        "code": ((torch.nn.ReLU(), linear), "wants to run code"),
    }.values():
        with pytest.raises(InputError, match=complaint) as raised:
            Lpips.read(*saved(tmp_path, *contents))
        assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match="not there"):
        Lpips.read(tmp_path / "none.pth", tmp_path / "none.pth")


def mean_colours(path, side=112, rank=2):
    """A network that answers with its picture's mean colours."""
    shape = ["n", 3, side, side]
    nodes = [helper.make_node("ReduceMean", ["x"], ["y"], axes=[2, 3], keepdims=int(rank == 4))]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3, 1, 1][:rank])],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_identity_is_of_the_face_alone_between_minus_one_and_one(tmp_path, portrait_png):
    photo = read_photo(portrait_png)
    (face, *_) = find_faces(photo)
    network = FaceIdentity(mean_colours(tmp_path / "a.onnx"))
    found = network.features(photo, face)
    assert found == pytest.approx(aligned(photo, face).mean((0, 1)) / 127.5 - 1, abs=1e-4)
    beside = photo.copy()
    beside[300:] = 0
    assert np.array_equal(network.features(beside, face), found)


def test_a_face_is_turned_and_scaled_to_where_the_network_wants_it():
    picture = np.zeros((300, 300, 3), np.uint8)
    landmarks = np.zeros((478, 3), np.float32)
    places = np.array(
        [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
    )
    turned = 2 * places @ np.array([[0, 1], [-1, 0]]) + [250, 20]  # a quarter, twice as large
    landmarks[[RIGHT_IRIS[0], LEFT_IRIS[0], 4, 61, 291], :2] = turned
    x, y = turned[2].round().astype(int)
    picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    seen = aligned(picture, landmarks)[:, :, 0].astype(float)
    rows, columns = np.mgrid[:112, :112]
    assert (seen * columns).sum() / seen.sum() == pytest.approx(56.0, abs=0.4)
    assert (seen * rows).sum() / seen.sum() == pytest.approx(71.7, abs=0.4)


def test_other_networks_are_not_taken_for_identity(tmp_path):
    (tmp_path / "text.onnx").write_text("hello")
    for path, complaint in (
        (tmp_path / "none.onnx", "not there"),
        (tmp_path, "a folder"),
        (tmp_path / "text.onnx", "not an ONNX file"),
        (mean_colours(tmp_path / "b.onnx", side=224), "not a network that takes faces of 112x112 pixels; get w600k"),
        (mean_colours(tmp_path / "c.onnx", rank=4), "not a network that takes faces"),
    ):
        with pytest.raises(InputError, match=complaint):
            FaceIdentity(path)


def test_inception_gives_features_and_refuses_another_network(tmp_path):
    torch.manual_seed(0)
    published = {name: value for name, value in Inception().state_dict().items() if "num_batches" not in name}
    assert len(published) == 472 and published["fc.weight"].shape == (1008, 2048)
    network = Inception.read(saved(tmp_path, published)[0])
    features = [network.features(np.full((64, 64, 3), value, np.uint8)) for value in (0, 0, 200)]
    assert features[0].shape == (2048,) and np.isfinite(features).all()
    assert np.array_equal(features[0], features[1]) and not np.allclose(features[0], features[2])
    published.pop("Mixed_7c.branch_pool.conv.weight")
    with pytest.raises(InputError, match=r"is not the Inception network of the FID: 1 missing \(Mixed_7c.branch_pool"):
        Inception.read(saved(tmp_path, published)[0])


def test_syncnet_reads_its_file_and_judges(tmp_path):
    torch.manual_seed(0)
    path = saved(tmp_path, SyncNet().state_dict())[0]
    network, rng = SyncNet.read(path), np.random.default_rng(0)
    voice = (3000 * rng.standard_normal(52 * 640)).astype(np.int16)
    watched = network.watch(BOX)
    for _ in range(49):
        watched.see(rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8), None)
    assert watched.judge(voice) is None, "too short"
    for _ in range(3):
        watched.see(rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8), None)
    sync = watched.judge(voice)
    assert sync is not None and sync.distance > 0 and sync.confidence >= 0
    with pytest.raises(InputError, match="is not SyncNet"):
        SyncNet.read(saved(tmp_path, {"netcnnaud.0.weight": torch.zeros(64, 1, 3, 3)})[0])


def test_syncnet_is_shown_blue_first_as_it_was_taught(monkeypatch):
    shown = []

    def embedded(self, network, head, windows):
        shown.extend(windows)
        return torch.zeros(len(windows), 1024)

    monkeypatch.setattr(SyncNet, "_embedded", embedded)
    faces = np.zeros((6, SIDE, SIDE, 3), np.uint8)
    faces[..., 0], faces[1, ..., 2] = 200, 7
    SyncNet().lips(faces)
    assert [window.shape for window in shown] == [(1, 3, 5, SIDE, SIDE)] * 2
    assert all((window[0, 2] == 200).all() for window in shown)
    assert (shown[0][0, 0, 1] == 7).all() and (shown[1][0, 0, 0] == 7).all()


@pytest.mark.parametrize("late", [-4, 0, 6])
def test_lips_are_looked_for_where_the_voice_is(late, monkeypatch):
    said = torch.tensor(np.random.default_rng(1).standard_normal((120, 1024)), dtype=torch.float32)
    lips, voice = said[20 - late : 81 - late], said[20:80]

    def embedded(self, network, head, windows):
        middle = SIDE // 2
        return (
            torch.stack([lips[int(window[0, 0, 0, middle, middle])] for window in windows])
            if network is self.netcnnlip
            else voice[: len(windows)]
        )

    monkeypatch.setattr(SyncNet, "_embedded", embedded)
    watched = SyncNet().watch(BOX)
    for number in range(65):
        watched.see(np.full((SIDE, SIDE, 3), number, np.uint8), None)
    sync = watched.judge(np.zeros(65 * 640, np.int16))
    heard = {i: voice[i] for i in range(60)}
    distances = [
        np.mean([float((lips[i] - heard.get(i + k, torch.zeros(1024))).norm()) for i in range(60)])
        for k in range(-15, 16)
    ]
    assert int(np.argmin(distances)) - 15 == -late
    assert sync == pytest.approx((np.median(distances) - min(distances), min(distances)), abs=1e-3)


def test_a_face_is_cut_with_more_below_it_than_above():
    picture = np.full((400, 400, 3), 50, np.uint8)
    picture[100:200, 150:250] = 250
    box = np.array([200.0, 150.0, 50.0])
    cut = cut_face(picture, box)[:, :, 0]
    rows, columns = np.flatnonzero((cut > 150).any(1)), np.flatnonzero((cut > 150).any(0))
    assert (columns[0], columns[-1] + 1) == pytest.approx((32, 192), abs=1), "100 of 140 pixels, in the middle"
    assert (rows[0], rows[-1] + 1) == pytest.approx((0, 160), abs=1)
    assert (cut_face(picture, box - [150, 0, 0])[:, 0] == 110).all(), "grey beyond the edge"


def test_a_face_is_cut_where_it_lies_in_each_picture_steadily_and_where_it_was_while_it_is_lost():
    random, cutter = np.random.default_rng(0), FaceCutter(np.float32([[0, 0, 0], [40, 40, 0]]))
    faces: list[np.ndarray] = []
    for n, x in enumerate(range(60, 140, 2)):
        picture = np.full((300, 300, 3), 50, np.uint8)
        picture[100:160, x - 30 : x + 30] = 250
        found = np.array([[x - 30, 100, 0], [x + 30, 160, 0]]) + random.normal(0, 0.7, (1, 3))
        faces += cutter.take(picture, found.astype(np.float32) if 3 < n < 30 else None)
    faces += cutter.rest()
    cut = np.stack(faces)[:, 112, :, 0] > 150
    seen = np.array([np.flatnonzero(row).mean() if row.any() else np.nan for row in cut])
    assert np.abs(seen[12:24] - 111.5).max() < 5, "in the middle"
    assert np.diff(seen[31:]).min() > 2, "the box stays where the face was"
    assert len(faces) == 40 and not np.array_equal(faces[0], faces[12])


def test_cepstra_are_those_of_the_published_front_end():
    sound = np.random.default_rng(4).integers(-9000, 9000, 1000).astype(np.int16)
    found = cepstrum(sound)
    assert found.shape == (5, 13), "25 ms each 10 ms, the last filled up"
    emphasised = [float(sound[0])] + [float(sound[i]) - 0.97 * float(sound[i - 1]) for i in range(1, 1000)]
    power = np.abs(np.fft.rfft(emphasised[160:560], 512)) ** 2 / 512
    edges = [700 * (10 ** (mel / 2595) - 1) for mel in np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 28)]
    bins = [int(np.floor(513 * hz / 16000)) for hz in edges]
    bands = []
    for j in range(26):
        up = [power[i] * (i - bins[j]) / (bins[j + 1] - bins[j]) for i in range(bins[j], bins[j + 1])]
        down = [power[i] * (bins[j + 2] - i) / (bins[j + 2] - bins[j + 1]) for i in range(bins[j + 1], bins[j + 2])]
        bands.append(np.log(sum(up) + sum(down)))
    for k in range(1, 13):
        cosines = np.cos(np.pi * k * (2 * np.arange(26) + 1) / 52)
        wanted = np.sqrt(2 / 26) * (bands * cosines).sum() * (1 + 11 * np.sin(np.pi * k / 22))
        assert found[1, k] == pytest.approx(wanted)
    assert found[1, 0] == pytest.approx(np.log(power.sum()))
    assert np.isfinite(cepstrum(np.zeros(400, np.int16))).all()
