"""Lets portraits speak several languages, and lays the pictures of their mouths out beside what is said.

    python scripts/show_speech.py PHOTO... --out out/speech

Writes a video with sound for every portrait, language and voice, and one sheet per portrait: a row per voice, a column
per picture, the phone under it, and a red frame where the sound has m, b or p, so that lips that miss a closure, or
close without one, are seen at once. The speech comes from espeak-ng. Needs the `train` extra.
"""

import argparse
import subprocess
import sys
import wave
from pathlib import Path

import av
import cv2
import numpy as np
from a2m import phones
from a2m.espeak import Espeak
from a2m.sound import Utterance

from models.landmarks import find_faces

_SENTENCES = {
    "en": "My baby brother buys a big purple umbrella.",
    "de": "Meine Mama möchte Brombeeren und Pommes.",
    "cmn-latn-pinyin": "wo3 ma1 ma5 mai3 bai2 mian4 bao1 he2 ping2 guo3",
    "hi": "मेरी माँ बाज़ार में पाँच आम और पपीता खरीदती है",
}
_VOICES = {"man": "m6", "woman": "f4"}
_FPS, _PICTURES, _TILE = 25, 24, 100
_LEAD_S = 0.3
"""Silence before the speech."""
_MARK = (230, 30, 30)
_AGENT = "from agent.program import program; program()"


def speak(path: Path, language: str, voice: str, engine: Espeak) -> Utterance:
    """Says the language's sentence into a wave file after a little silence."""
    pitch = 75 if voice == "woman" else 35
    said = engine.say(_SENTENCES[language], f"{language.split('-')[0]}+{_VOICES[voice]}", 150, pitch, 60)
    samples = np.concatenate([np.zeros(round(_LEAD_S * said.rate_hz)), said.samples, np.zeros(said.rate_hz // 2)])
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, said.rate_hz, 0, "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())
    return said


def run(portrait: Path, sound: Path, video: Path) -> list[np.ndarray]:
    """The pictures of `agent run` for this portrait and sound."""
    command = [sys.executable, "-c", _AGENT, "run", "--portrait", portrait, "--mode", "audio",
               "--microphone", sound, "--output", video, "--framing", "head", "--fps", str(_FPS)]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
    with av.open(str(video)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def row(pictures: list[np.ndarray], said: Utterance, title: str) -> np.ndarray:
    """Mouths from the first phone on, with what is said under each."""
    points = find_faces(pictures[0])[0]
    eyes = float(np.linalg.norm(points[33, :2] - points[263, :2]))
    x, y = points[[13, 14], :2].mean(0)
    reach = 0.5 * eyes
    left, top = max(round(x - reach), 0), max(round(y - 0.8 * reach), 0)
    first = round((_LEAD_S + said.segments[0].start) * _FPS)
    tiles = []
    for i in range(first, min(first + _PICTURES, len(pictures))):
        mouth = pictures[i][top : top + round(2 * reach), left : left + round(2 * reach)]
        tile = np.full((_TILE + 16, _TILE, 3), 255, np.uint8)
        tile[:_TILE] = cv2.resize(mouth, (_TILE, _TILE), interpolation=cv2.INTER_AREA)
        instant = i / _FPS - _LEAD_S
        phone = next((s.phone for s in said.segments if s.start <= instant < s.end), "")
        if phone in phones.BILABIALS:
            cv2.rectangle(tile, (0, 0), (_TILE - 1, _TILE - 1), _MARK, 3)
        label = phone if phone.isascii() else phones.VISEMES[phones.ROWS[phone].viseme]
        cv2.putText(tile, label, (4, _TILE + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
        tiles.append(tile)
    tiles += [np.full_like(tiles[0], 255)] * (_PICTURES - len(tiles))
    name = np.full((_TILE + 16, 96, 3), 255, np.uint8)
    cv2.putText(name, title, (2, _TILE // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([name, *tiles], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=Path("out/speech"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    engine = Espeak()
    for portrait in options.portraits:
        rows = []
        for language in _SENTENCES:
            for voice in _VOICES:
                name = options.out / f"{portrait.stem}_{language[:3]}_{voice}"
                said = speak(name.with_suffix(".wav"), language, voice, engine)
                pictures = run(portrait, name.with_suffix(".wav"), name.with_suffix(".mp4"))
                rows.append(row(pictures, said, f"{language[:3]} {voice}"))
                print(name.with_suffix(".mp4"), flush=True)
        sheet = options.out / f"{portrait.stem}.png"
        cv2.imwrite(str(sheet), cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR))
        print(sheet, flush=True)


if __name__ == "__main__":
    main()
