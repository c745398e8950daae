"""What of a clip the person whom `talk3d` draws did not learn from."""

from pathlib import Path

from agent.config.eval import Eval
from agent.eval.columns import OWN_PERSON
from models.talk3d.needs import DRIVER_FILE, EYES_FILE
from models.weight_store import sha256
from models.weights import store_of, with_person

_FRAME_NS = 40_000_000  # of the person's recording


def learnt_ns(clip: Path, config: Eval) -> int:
    """Until when the person learnt from the clip: ten elevenths of it, as the released code splits a video.

    0 where the clip is not, byte for byte, the video of the person, or where no engine that learnt is compared.

    Raises:
        InputError: the person's networks are damaged.
    """
    if OWN_PERSON not in config.engine or not clip.is_file():
        return 0
    stock = store_of(with_person(OWN_PERSON, config.person)).current()
    driver = stock.files.get(DRIVER_FILE)
    if stock.folder is None or stock.fault(EYES_FILE) or driver is None or driver.source_sha256 != sha256(clip):
        return 0
    from models.talk3d.personal.footage import LEARNT  # torch is loaded only where it is there
    from models.talk3d.recording import read_recording

    return round(LEARNT * len(read_recording(stock.folder).turns)) * _FRAME_NS
