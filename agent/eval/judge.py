"""What an engine drew of a case, held against what it should have drawn."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from agent.eval.cases import Case
from agent.eval.columns import Key, judged_columns
from agent.eval.filmed import Head
from agent.eval.measures import Measures
from agent.eval.truth import Truth
from agent.voice import voice
from models.landmarks import Landmarks, MediapipeTracker
from models.metrics.features import cosine
from models.metrics.motions import expression_distance, pose_distance_degrees
from models.metrics.pictures import l1, psnr_db, ssim
from models.metrics.points import key_point_distance, lip_distance, opening_correlation
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
    figures: dict[Key, float]
    """Means over these; what could not be measured is missing, and FID, which is of all cases together."""
    heads: dict[int, Head]
    """By instant, at those that were asked for."""
    features: list[Features]
    """Inception's of every picture; none if not measured."""


class Judge:
    """Looks at one engine's pictures of a case, in their order."""

    def __init__(self, case: Case, engine: str, truth: Truth, measures: Measures, shown_ns: Collection[int]) -> None:
        """`shown_ns`: instants whose pictures are kept for people to look at."""
        self._case, self._engine, self._truth, self._measures = case, engine, truth, measures
        self._shown_ns, self._columns = shown_ns, judged_columns(case.protocol, engine)
        self._tracker = MediapipeTracker()
        self._filmed = truth.heads(truth.faces)
        self._each: dict[Key, list[float]] = {}
        self._openings: list[tuple[float, float]] = []
        self._heads: dict[int, Head] = {}
        self._features: list[Features] = []
        face, syncnet = case.source.landmarks[:SURFACE_COUNT], measures.syncnet
        self._watched = None if syncnet is None else syncnet.watch(face)
        self._pictures = self._lost = 0

    def take(self, due_ns: int, image: Pixels) -> None:
        """The next picture that the engine drew; the face is followed through those, too, that are not to be judged."""
        landmarks = self._tracker.track(image)
        if self._watched is not None:
            self._watched.see(image, None if landmarks is None else landmarks[:SURFACE_COUNT])
        if due_ns not in self._truth.faces:
            return
        self._pictures += 1
        head = self._case.crop.of(image)
        if due_ns in self._shown_ns:
            self._heads[due_ns] = head
        if self._case.protocol == "self":
            self._compare_pictures(head, self._filmed_at(due_ns))
        if self._measures.inception is not None and "fid" in self._columns:
            self._features.append(self._measures.inception.features(head))
        if landmarks is None:
            self._lost += 1
        else:
            self._compare_faces(image, landmarks, due_ns)

    def close(self) -> None:
        """Frees the tracker and the clip."""
        self._tracker.close()
        self._filmed.close()

    def judged(self) -> Judged:
        """What was found, once all pictures were taken."""
        figures: dict[Key, float] = {key: float(np.mean(values)) for key, values in self._each.items()}
        figures["lost"] = self._lost
        got, want = np.array(self._openings, np.float64).reshape(-1, 2).T
        figures["lips"] = opening_correlation(got, want)
        if self._watched is not None:
            sync = self._watched.judge(voice(self._case.clip))
            figures |= {} if sync is None else {"sync_c": sync.confidence, "sync_d": sync.distance}
        known: dict[Key, float] = {key: value for key, value in figures.items() if np.isfinite(value)}
        return Judged(self._case.name, self._engine, self._pictures, known, self._heads, self._features)

    def _compare_pictures(self, got: Head, want: Head) -> None:
        self._note("l1", lambda: l1(got, want))
        self._note("psnr", lambda: psnr_db(got, want))
        self._note("ssim", lambda: ssim(got, want))
        if (lpips := self._measures.lpips) is not None:
            self._note("lpips", lambda: lpips.distance(got, want))

    def _filmed_at(self, due_ns: int) -> Head:
        filmed_ns, head = next(self._filmed)
        assert filmed_ns == due_ns  # every judged instant is drawn, in order
        return head

    def _compare_faces(self, image: Pixels, landmarks: Landmarks, due_ns: int) -> None:
        identity, source = self._measures.identity, self._truth.identity
        if identity is not None and source is not None:
            self._note("csim", lambda: cosine(identity.features(image, landmarks), source))
        face, driver = self._truth.faces[due_ns], self._truth.readings.get(due_ns)
        if face is None or driver is None:
            return
        got, want = (self._case.crop.points(points) for points in (landmarks, face))
        self._note("akd", lambda: key_point_distance(got, want))
        self._note("lmd", lambda: lip_distance(got, want))
        reading = self._truth.portrait.read(landmarks)
        self._note("aed", lambda: expression_distance(reading.expression, driver.expression))
        self._note("apd", lambda: pose_distance_degrees(reading.rotation, driver.rotation))
        self._openings.append((reading.opening, driver.opening))

    def _note(self, key: Key, measure: Callable[[], float]) -> None:
        """One picture's figure, if the protocol has such a column."""
        if key in self._columns:
            self._each.setdefault(key, []).append(measure())
