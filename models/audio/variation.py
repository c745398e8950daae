"""MouthVariation: nobody says a thing twice alike; how much more or less than its mean the mouth does, hop by hop."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

WEIGHTS = Path(__file__).parent.parent / "data" / "mouth_variation.onnx"
HOTTEST = 1.5
"""The highest temperature; at 1 the mouth varies as much as the network learned that mouths do."""

_HOPS_PER_NOISE = 4


class MouthVariation:
    """Flow-VAE's prior and decoder with their state, and seeded noise. Not thread-safe; one object per voice."""

    def __init__(self, network: Any, temperature: float, seed: int) -> None:
        """`network`: a session over `WEIGHTS`. Raises ValueError for a temperature outside 0..`HOTTEST`."""
        if not 0 <= temperature <= HOTTEST:
            raise ValueError(f"temperature of {temperature:g}: choose 0 to {HOTTEST:g}")
        self._network, self._temperature, self._seed = network, temperature, seed
        inputs = {given.name: given.shape for given in network.get_inputs()}
        self._state_shape, self._noise_shape = inputs["state"], inputs["noise"]
        self.reset()

    def reset(self) -> None:
        """Begins anew, with the same noise."""
        self._rng = np.random.default_rng(self._seed)
        self.restart()

    def restart(self) -> None:
        """Forgets what was heard; the noise goes on."""
        self._state = np.zeros(self._state_shape, np.float32)
        self._noise = np.zeros(self._noise_shape, np.float32)
        self._hop = 0

    def factors(self, answer: Float32[np.ndarray, "outputs"]) -> Float32[np.ndarray, "15"]:
        """Factors 0.5..2 of the curves, from what the speech network says of the next hop."""
        phase = self._hop % _HOPS_PER_NOISE
        if phase == 0:
            self._noise = self._temperature * self._rng.standard_normal(self._noise_shape, np.float32)
        given = {"answer": answer[None], "noise": self._noise, "phase": np.full((1, 1), phase, np.float32)}
        factors, self._state = self._network.run(None, {**given, "state": self._state})
        self._hop += 1
        return factors[0]
