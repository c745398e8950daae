"""What an engine's pictures of a case are held against; the same for every engine."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Float32

from agent.config.eval import Eval
from agent.eval.cases import Case
from agent.eval.columns import judged_columns
from agent.eval.filmed import Heads, film, heads
from agent.eval.measures import Measures
from calibration.fit import MotionFit, Zero
from models.errors import InputError
from models.face import FaceModel
from models.landmarks import Landmarks
from models.metrics.points import lip_opening


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the face model says of a face."""

    expression: Float32[np.ndarray, "64"]
    rotation: Float[np.ndarray, "3"]
    """Of the head, from looking straight into the camera; a rotation vector, radians."""
    opening: float
    """Of the lips, see `lip_opening`."""


class Person:
    """Reads the faces of one person: expressions count from the mean face's, whoever it is."""

    def __init__(self, face: Landmarks, model: FaceModel) -> None:
        """`face`: as the person is first seen."""
        self._fit = MotionFit(Zero.of_mean(face, model), model)

    def read(self, landmarks: Landmarks) -> Reading:
        """One of the person's faces."""
        measured = self._fit.measure(landmarks, self._fit.head(landmarks))
        return Reading(self._fit.express(measured.face), measured.rotation, lip_opening(landmarks))


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """A case's clip, read. Its pictures are not kept: they are read again where they are wanted."""

    faces: dict[int, Landmarks | None]
    """By judged instant, pixels of the picture; None where no face is seen."""
    readings: dict[int, Reading]
    """Of the driver, at the instants at which a face was seen."""
    portrait: Person
    """Who was drawn."""
    identities: dict[int, Float32[np.ndarray, "d"]]
    """Who should be seen, at the instants at which a face was: the filmed person, under cross the portrait's; none
    without CSIM."""
    features: dict[str, Float32[np.ndarray, "2048"]]
    """Inception's of what pictures should look like: filmed ones, under cross the portrait; none without FID. Their
    names are the same where pictures are."""
    heads: Callable[[Iterable[int]], Heads]
    """What was filmed around the head at these instants, which rise."""


def read_truth(case: Case, config: Eval, measures: Measures) -> Truth:
    """Looks at the clip of a case. Raises InputError: no face is seen in it, or all of it was learnt from."""
    cross, source = case.protocol == "cross", case.source
    compared = any("fid" in judged_columns(case.protocol, engine, case.own) for engine in config.engine)
    inception = measures.inception if compared else None
    size = (source.image.shape[1], source.image.shape[0])
    judged_ns = set(case.judged_ns(config))
    if not judged_ns:
        raise InputError(f"--clip {case.clip} ends, or its sound does, before what {config.person} did not learn from")
    crop = None if cross else case.crop
    faces: dict[int, Landmarks | None] = {}
    features: dict[str, Float32[np.ndarray, 2048]] = {}
    if cross and inception is not None:
        head = case.crop.of(source.image)
        features[hashlib.sha256(head.tobytes()).hexdigest()] = inception.features(head)
    who = measures.identity
    portrayed = who.features(source.image, source.landmarks) if cross and who is not None else None
    identities: dict[int, Float32[np.ndarray, d]] = {}
    for due_ns, filmed in film(case.clip, size, case.instants_ns(config), judged_ns, crop):
        faces[due_ns], crop = filmed.landmarks, filmed.crop
        if inception is not None and not cross:
            features[f"{case.name} {due_ns}"] = inception.features(filmed.head)
        if who is not None and filmed.landmarks is not None:
            identities[due_ns] = who.features(filmed.image, filmed.landmarks) if portrayed is None else portrayed
    assert crop is not None  # a face was seen
    seen = {ns: landmarks for ns, landmarks in faces.items() if landmarks is not None}
    portrait = Person(source.landmarks, measures.face)
    driver = Person(next(iter(seen.values())), measures.face) if cross else portrait
    return Truth(
        faces=faces,
        readings={ns: driver.read(landmarks) for ns, landmarks in seen.items()},
        portrait=portrait,
        identities=identities,
        features=features,
        heads=partial(heads, case.clip, size, crop=crop),
    )
