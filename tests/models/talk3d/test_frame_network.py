"""One call per frame: the reference's pictures, from a person whose tensors are never written to."""

from collections.abc import Iterator

import pytest
import torch
from golden.talk3d import filled_model

from models.backends.picture_bytes import to_picture
from models.backends.torch_executor import TorchExecutor
from models.talk3d.conditions import Frame
from models.talk3d.delta_planes import PlaneFeatures
from models.talk3d.model import Person, Talk3D
from models.talk3d.paper import Talk3dPaper, talk3d_paper
from models.talk3d.person_state import PersonState
from models.talk3d.transformer import Settled
from tests.models.talk3d.synthetic import recording

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module", autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model() -> Talk3D:
    return filled_model()


@pytest.fixture(scope="module")
def paper(model: Talk3D) -> Talk3dPaper:
    return talk3d_paper(model, torch.from_numpy(recording().latent))


@pytest.fixture(scope="module")
def executor(paper: Talk3dPaper) -> TorchExecutor:
    return TorchExecutor(paper, torch.device("cpu"))


@pytest.fixture(scope="module")
def state(paper: Talk3dPaper, executor: TorchExecutor) -> PersonState:
    return executor.prepare(paper.trial().parts)


def test_a_frame_is_the_reference_s_and_leaves_the_person_alone(
    paper: Talk3dPaper, model: Talk3D, executor: TorchExecutor, state: PersonState
) -> None:
    before = [tensor.clone() for tensor in state]
    assert {
        name: tuple(tensor.shape[1:]) for name, tensor in zip(state._fields, state, strict=True)
    } == paper.layout.state
    trial = paper.trial()
    first = executor.frame(state, trial.drive)
    with torch.inference_mode():
        features = PlaneFeatures(state.first, state.second, Settled(*state[3:]))
        person = Person(trial.parts.latent[0], state.planes, features)
        want = to_picture(model(person, Frame(*trial.drive[:-1]), trial.drive.camera).clamp(-1, 1))[0].numpy()
    differences = abs(first.astype(int) - want.astype(int))
    assert first.std() > 10
    assert differences.max() <= 1 and differences.mean() < 0.01
    assert all(torch.equal(was, now) for was, now in zip(before, state, strict=True))
