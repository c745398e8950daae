"""Inside the virtual machine: what feeds a loopback device.

`python -m tests.devices.guest.feeder /dev/videoN FILE.npy` shows three pictures a second until it is killed: of the
I420 pictures in the file the one whose number stands in /mnt/pose.
"""

import sys
import time

import numpy as np
import pyvirtualcam

from tests.devices.guest.loopback import SHARE

POSE = SHARE / "pose"
FPS = 3


def main() -> None:
    poses = np.load(sys.argv[2])  # [poses, height * 3 / 2, width]
    size = poses.shape[2], poses.shape[1] * 2 // 3
    with pyvirtualcam.Camera(*size, FPS, fmt=pyvirtualcam.PixelFormat.I420, device=sys.argv[1]) as camera:
        while True:
            camera.send(poses[int(POSE.read_text())])
            time.sleep(1 / FPS)


if __name__ == "__main__":
    main()
