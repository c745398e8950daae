"""What a person meets: commands, settings, and the composition of the rest."""

import os

for _pool in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_pool, "1")  # before numpy is imported: thread pools on few cores make latency worse
