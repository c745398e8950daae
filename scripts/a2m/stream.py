"""Endless batches of sessions from worker processes, in an order that does not depend on their speed."""

import ctypes
import multiprocessing
import os
import random
import signal
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from a2m import session, voices
from a2m.session import Session, varied

_SPEAKERS, _SESSIONS, _NOISES = 10, 3, 15
"""A worker's block: so many voices, so much speech of each, so many sessions without any; shuffled."""
BLOCK = _SPEAKERS * _SESSIONS * session.MICROPHONES + _NOISES
_AHEAD = 96
"""Sessions that wait at most."""
_MEMORY = 256
"""Sessions that may come again, changed; older ones never do."""


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
    """Batches for training: a third new, the rest heard before and changed since. Close it to end the workers."""

    def __init__(self, workers: int, seed: int, batch: int, start: int = 0) -> None:
        """`batch`: 3 or more; `start`: batches taken before, of a stream of the same workers, seed and batch."""
        context = multiprocessing.get_context("spawn")
        self._fresh, self._old = batch // 3, batch - batch // 3
        self._seed, self._number = seed, start
        self._taken = max(0, start * self._fresh - _MEMORY)
        self._memory: deque[Session] = deque(maxlen=_MEMORY)
        self._queues, self._workers = [], []
        for worker in range(workers):
            queue = context.Queue(_AHEAD // workers)
            own = self._taken // workers + (worker < self._taken % workers)
            process = context.Process(target=_work, args=(queue, seed, worker, own), daemon=True)
            process.start()
            self._queues.append(queue)
            self._workers.append(process)

    def __iter__(self) -> Iterator[Batch]:
        while self._taken < self._number * self._fresh:
            self._memory.append(self._next())
        while True:
            rng = np.random.default_rng([self._seed, self._number])
            sessions = [self._next() for _ in range(self._fresh)]
            known = [*self._memory, *sessions]
            again = [varied(known[i], rng) for i in rng.integers(0, len(known), self._old)]
            self._memory.extend(sessions)
            self._number += 1
            yield collate(sessions + again)

    def close(self) -> None:
        """Ends the workers."""
        for process in self._workers:
            process.terminate()
            process.join()

    def _next(self) -> Session:
        queue = self._queues[self._taken % len(self._queues)]
        self._taken += 1
        return queue.get(timeout=1200)


def _work(queue: "multiprocessing.Queue[Session]", seed: int, worker: int, start: int) -> None:
    """Puts session after session, from number `start` on; every block in a process of its own.

    espeak-ng's speech depends on what it said before, so only a fresh process says the same again.
    """
    _die_with_parent()
    skip, number = start % BLOCK, start // BLOCK
    while True:
        child = os.fork()
        if child == 0:
            _die_with_parent()
            for item in block(voices.Engines(), seed, worker, number)[skip:]:
                queue.put(item)
            queue.close()
            queue.join_thread()
            os._exit(0)
        os.waitpid(child, 0)
        skip, number = 0, number + 1


def _die_with_parent() -> None:
    """Linux: this process is killed as soon as the one that started it ends."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
