"""What an engine drew of a case, held against what it should have drawn."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from agent.eval.cases import Case
from agent.eval.columns import OWN_PERSON, Key, judged_columns
from agent.eval.filmed import Head
from agent.eval.laid_over import laid_over
from agent.eval.measures import Measures
from agent.eval.truth import Truth
from agent.voice import voice
from models.audio.mel import RATE_HZ
from models.landmarks import Landmarks, MediapipeTracker
from models.metrics.features import cosine
from models.metrics.motions import expression_distance, pose_distance_degrees
from models.metrics.pictures import l1, psnr_db, ssim
from models.metrics.points import key_point_distance, lip_distance
from models.portrait import Pixels
from models.topology import SURFACE_COUNT

Features = Float32[np.ndarray, "2048"]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What an engine made of a case."""

    case: str
    engine: str
    pictures: int
    """Judged ones."""
    whole: dict[Key, float]
    """Figures of all of them together, without FID, which is of all cases together."""
    pictured: dict[Key, dict[int, float]]
    """The others by instant; what could not be measured is missing."""
    openings: dict[int, tuple[float, float]]
    """Of the drawn and the filmed lips, at the instants at which both faces are seen; see `lip_opening`."""
    heads: dict[int, Head]
    """By instant, at those that were asked for."""
    features: list[Features]
    """Inception's of the pictures; none if not measured."""


class Judge:
    """Looks at one engine's pictures of a case, in their order."""

    def __init__(self, case: Case, engine: str, truth: Truth, measures: Measures, shown_ns: Collection[int]) -> None:
        """`shown_ns`: instants whose pictures are kept for people to look at."""
        self._case, self._engine, self._truth, self._measures = case, engine, truth, measures
        self._shown_ns, self._columns = shown_ns, judged_columns(case.protocol, engine, case.own)
        self._placed = engine != OWN_PERSON
        self._tracker = MediapipeTracker()
        self._filmed = truth.heads(truth.faces)
        self._pictured: dict[Key, dict[int, float]] = {}
        self._openings: dict[int, tuple[float, float]] = {}
        self._heads: dict[int, Head] = {}
        self._features: list[Features] = []
        face, syncnet = case.source.landmarks[:SURFACE_COUNT], measures.syncnet
        self._watched = None if syncnet is None else syncnet.watch(face)
        self._pictures = self._lost = 0

    def take(self, due_ns: int, image: Pixels) -> None:
        """The next picture that the engine drew; the face is followed through those, too, that are not to be judged."""
        landmarks = self._tracker.track(image)
        if self._watched is not None and due_ns >= self._case.learnt_ns:
            self._watched.see(image, None if landmarks is None else landmarks[:SURFACE_COUNT])
        if due_ns not in self._truth.faces:
            return
        self._pictures += 1
        self._lost += landmarks is None
        face, placed = self._truth.faces[due_ns], self._placed
        if self._case.own and not placed and landmarks is not None and face is not None:
            image, landmarks = laid_over(image, landmarks, face)
            placed = True
        head = self._case.crop.of(image)
        if due_ns in self._shown_ns:
            self._heads[due_ns] = head
        if self._case.protocol == "self":
            filmed = self._filmed_at(due_ns)
            if placed:
                self._compare_pictures(head, filmed, due_ns)
        if self._measures.inception is not None and "fid" in self._columns and placed:
            self._features.append(self._measures.inception.features(head))
        if landmarks is not None and face is not None:
            self._compare_faces(image, landmarks, face, due_ns)

    def close(self) -> None:
        """Frees the tracker and the clip."""
        self._tracker.close()
        self._filmed.close()

    def judged(self) -> Judged:
        """What was found, once all pictures were taken."""
        whole: dict[Key, float] = {"lost": self._lost}
        if self._watched is not None:
            heard = voice(self._case.clip)[self._case.learnt_ns * RATE_HZ // 1_000_000_000 :]
            sync = self._watched.judge(heard)
            whole |= {} if sync is None else {"sync_c": sync.confidence, "sync_d": sync.distance}
        return Judged(
            self._case.name, self._engine, self._pictures, whole, self._pictured, self._openings, self._heads,
            self._features,
        )  # fmt: skip

    def _compare_pictures(self, got: Head, want: Head, due_ns: int) -> None:
        found: dict[Key, float] = {"l1": l1(got, want), "psnr": psnr_db(got, want), "ssim": ssim(got, want)}
        if self._measures.lpips is not None:
            found["lpips"] = self._measures.lpips.distance(got, want)
        self._note(found, due_ns)

    def _filmed_at(self, due_ns: int) -> Head:
        filmed_ns, head = next(self._filmed)
        assert filmed_ns == due_ns  # every judged instant is drawn, in order
        return head

    def _compare_faces(self, image: Pixels, landmarks: Landmarks, face: Landmarks, due_ns: int) -> None:
        got, want = (self._case.crop.points(points) for points in (landmarks, face))
        reading, driver = self._truth.portrait.read(landmarks), self._truth.readings[due_ns]
        found: dict[Key, float] = {
            "akd": key_point_distance(got, want),
            "lmd": lip_distance(got, want),
            "aed": expression_distance(reading.expression, driver.expression),
            "apd": pose_distance_degrees(reading.rotation, driver.rotation),
        }
        if self._measures.identity is not None and "csim" in self._columns:
            found["csim"] = cosine(self._measures.identity.features(image, landmarks), self._truth.identities[due_ns])
        self._note(found, due_ns)
        self._openings[due_ns] = (reading.opening, driver.opening)

    def _note(self, found: dict[Key, float], due_ns: int) -> None:
        """One picture's figures of those that the protocol has columns for."""
        for key in found.keys() & set(self._columns):
            self._pictured.setdefault(key, {})[due_ns] = found[key]
