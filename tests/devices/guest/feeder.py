"""Inside the virtual machine: what feeds a loopback device.

`python -m tests.devices.guest.feeder /dev/videoN FILE.npy` shows the I420 picture in the file three times a second,
until it is killed.
"""

import sys
import time

import numpy as np
import pyvirtualcam

FPS = 3


def main() -> None:
    picture = np.load(sys.argv[2])  # [height * 3 / 2, width]
    size = picture.shape[1], picture.shape[0] * 2 // 3
    with pyvirtualcam.Camera(*size, FPS, fmt=pyvirtualcam.PixelFormat.I420, device=sys.argv[1]) as camera:
        while True:
            camera.send(picture)
            time.sleep(1 / FPS)


if __name__ == "__main__":
    main()
