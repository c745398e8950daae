"""How far the papers' networks are from the released code, stage by stage.

    python scripts/check_golden.py [--paper real3d] [--stage i2p ...]

Prints how far every stage is from it beside its tolerance; exit code 1 if one is too far. All stages take a
minute on two cores and 4 GB of memory.
"""

import argparse
import sys

import torch
from golden import goha, real3d, talk3d
from golden.stages import measure, table

PAPERS = {
    "real3d": (real3d.Real3d, real3d.GROUPS),
    "goha": (goha.GohaRun, goha.GROUPS),
    "talk3d": (talk3d.Talk3DRun, talk3d.GROUPS),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paper", choices=PAPERS, default="real3d")
    parser.add_argument("--stage", nargs="+", metavar="STAGE", help="all of them if none is named")
    parser.add_argument("--threads", type=int, default=2)
    chosen = parser.parse_args()
    run, groups = PAPERS[chosen.paper]
    stages = chosen.stage or list(groups)
    if unknown := set(stages) - set(groups):
        parser.error(f"no stage {', '.join(sorted(unknown))}: choose from {', '.join(groups)}")
    torch.set_num_threads(chosen.threads)
    measured = list(measure(run(), [groups[stage] for stage in stages]))
    print(table(measured))
    return 0 if all(m.good for m in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
