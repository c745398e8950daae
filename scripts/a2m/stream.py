"""Endless batches of sessions from worker processes, in an order that does not depend on their speed."""

import multiprocessing
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, fields
from queue import Full

import numpy as np
import torch
from torch import Tensor

from a2m import session, voices
from a2m.session import Session

_SPEAKERS, _SESSIONS, _NOISES = 10, 3, 12
"""A worker's block: so many voices, so much speech of each, so many sessions without any; shuffled."""
BLOCK = _SPEAKERS * _SESSIONS * session.MICROPHONES + _NOISES
_AHEAD = 96
"""Sessions that wait at most."""


@dataclass(frozen=True, slots=True)
class Batch:
    features: Tensor
    """float32 [batch, 800, 66]."""
    curves: Tensor
    """float32 [batch, 401, 15]."""
    visemes: Tensor
    """int64 [batch, 401]."""
    closed: Tensor
    """float32 [batch, 401], as in `Session`."""
    speech: Tensor
    """float32 [batch, 401]."""


def collate(sessions: list[Session]) -> Batch:
    """One batch."""
    arrays = {f.name: torch.from_numpy(np.stack([getattr(s, f.name) for s in sessions])) for f in fields(Session)}
    return Batch(**{name: array.long() if name == "visemes" else array.float() for name, array in arrays.items()})


def block(engines: voices.Engines, seed: int, worker: int, number: int) -> list[Session]:
    """The sessions of one block: the same for the same numbers."""
    rng = random.Random(f"{seed} {worker} {number}")
    out: list[Session] = []
    others: list[np.ndarray] = []
    for _ in range(_SPEAKERS):
        speaker = voices.trained(rng)
        out += session.speaker_sessions(engines, speaker, _SESSIONS, rng.getrandbits(48), others)
    out += [session.non_speech(np.random.default_rng(rng.getrandbits(48))) for _ in range(_NOISES)]
    rng.shuffle(out)
    return out


class Stream:
    """Batches for training. Close it to end the workers."""

    def __init__(self, workers: int, seed: int, batch: int, start: int = 0) -> None:
        """`start`: batches that were taken before, of a stream of the same workers, seed and batch."""
        context = multiprocessing.get_context("spawn")
        taken = start * batch
        self._batch, self._taken = batch, taken
        self._queues, self._workers = [], []
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the workers
        for worker in range(workers):
            queue = context.Queue(_AHEAD // workers)
            own = taken // workers + (worker < taken % workers)
            process = context.Process(target=_work, args=(queue, seed, worker, own), daemon=True)
            process.start()
            self._queues.append(queue)
            self._workers.append(process)

    def __iter__(self) -> Iterator[Batch]:
        while True:
            sessions = []
            for _ in range(self._batch):
                sessions.append(self._queues[self._taken % len(self._queues)].get(timeout=600))
                self._taken += 1
            yield collate(sessions)

    def close(self) -> None:
        """Ends the workers."""
        for process in self._workers:
            process.terminate()
            process.join()


def _work(queue: "multiprocessing.Queue[Session]", seed: int, worker: int, start: int) -> None:
    engines = voices.Engines()
    skip = start % BLOCK
    number = start // BLOCK
    while True:
        for item in block(engines, seed, worker, number)[skip:]:
            while not _put(queue, item):
                if not multiprocessing.parent_process().is_alive():
                    return
        skip, number = 0, number + 1


def _put(queue: "multiprocessing.Queue[Session]", item: Session) -> bool:
    """False when the queue stays full for a while."""
    try:
        queue.put(item, timeout=10)
    except Full:
        return False
    return True
