"""Festival's recorded voices: diphones, clustered units and an HMM voice, with the end of each phone."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from a2m.segments import expand
from a2m.sound import Utterance, read_wav

_SAY = """
(define (say text file)
  (let ((u (SynthText text)))
    (utt.save.wave u file 'riff)
    (mapcar (lambda (s) (format t "%s %f\\n" (item.name s) (item.feat s 'end))) (utt.relation.items u 'Segment))
    (format t "=\\n")))
"""
RADIO = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "ay": "aɪ", "ch": "tʃ", "dh": "ð", "dx": "ɾ",
    "eh": "ɛ", "er": "ɝ", "ey": "eɪ", "g": "ɡ", "hh": "h", "hv": "h", "ih": "ɪ", "ix": "ɪ", "iy": "i", "jh": "dʒ",
    "ng": "ŋ", "ow": "oʊ", "oy": "ɔɪ", "r": "ɹ", "sh": "ʃ", "th": "θ", "uh": "ʊ", "uw": "u", "y": "j", "zh": "ʒ",
    "axr": "ɚ", "nx": "n", "el": "əl", "em": "əm", "en": "ən", "pau": "", "h#": "", "brth": "",
}  # fmt: skip
_CZECH = {
    "#": "", "_": "ʔ", "c": "ts", "c~": "tʃ", "ch": "x", "d~": "ɟ", "dz~": "dʒ", "g": "ɡ", "h": "ɦ", "e": "ɛ",
    "e:": "ɛ", "i": "ɪ", "n*": "ŋ", "n~": "ɲ", "r~": "r", "r~*": "r", "s~": "ʃ", "t~": "c", "z~": "ʒ",
}  # fmt: skip
_FINNISH = {"#": "", "@": "æ", "@:": "æ", "7": "ø", "7:": "ø", "&": "ə", "a": "ɑ", "a:": "ɑ", "v": "ʋ", "N": "ŋ",
            "N:": "ŋ", "g": "ɡ", "g:": "ɡ", "T": "θ", "S": "ʃ", "L": "ʎ"}  # fmt: skip
_ITALIAN = {
    "#": "", "E": "ɛ", "E1": "ɛ", "O": "ɔ", "O1": "ɔ", "g": "ɡ", "S": "ʃ", "Z": "ʒ", "tS": "tʃ", "dZ": "dʒ", "J": "ɲ",
    "ng": "ŋ", "nf": "ɱ", "L": "ʎ",
}  # fmt: skip
_RUSSIAN = {
    "pau": "", "ii": "i", "yy": "ɨ", "uu": "u", "ee": "e", "oo": "o", "aa": "a", "a": "ɐ", "y": "ɨ", "ae": "ə",
    "ay": "ɪ", "ur": "ʊ", "pp": "p", "bb": "b", "kk": "k", "gg": "ɡ", "g": "ɡ", "tt": "t", "dd": "d", "ff": "f",
    "vv": "v", "ss": "s", "zz": "z", "mm": "m", "nn": "n", "ll": "l", "rr": "r", "hh": "x", "h": "x", "c": "ts",
    "ch": "tɕ", "sh": "ʃ", "sch": "ɕ", "zh": "ʒ", "j": "j",
}  # fmt: skip
_CATALAN = {
    "pau": "", "_": "", "#": "", "ax": "ə", "E": "ɛ", "E1": "ɛ", "O": "ɔ", "O1": "ɔ", "g": "ɡ", "J": "ɲ", "L": "ʎ",
    "r": "ɾ", "rr": "r", "S": "ʃ", "Z": "ʒ", "y": "j",
}  # fmt: skip
_INDIC = {
    "pau": "", "a": "ə", "aa": "a", "ih": "ɪ", "iy": "i", "uh": "ʊ", "uw": "u", "eh": "ɛ", "ee": "e", "ay": "aɪ",
    "oh": "ɔ", "oo": "o", "aw": "aʊ", "g": "ɡ", "ch": "tʃ", "T": "ʈ", "D": "ɖ", "N": "ɳ", "th": "t", "dh": "d",
    "y": "j", "v": "ʋ", "L": "ɭ", "R": "r", "sh": "ʃ", "j": "dʒ", "ksh": "kʃ", "sri": "sr", "x": "x", "kh": "k",
    "gh": "ɡ", "td": "ʈ", "tth": "ʈ", "ddh": "ɖ", "bh": "b", "zh": "ʒ", "@": "ə",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FestivalVoice:
    name: str
    """Of the voice's directory, which also names its scheme function."""
    language: str
    phones: dict[str, str]
    """Engine's name -> IPA, where they differ; "1" of stress is dropped first."""
    encoding: str


VOICES = {
    "ked": FestivalVoice("ked_diphone", "en", RADIO, "ascii"),
    "ph": FestivalVoice("czech_ph", "cs", _CZECH, "iso-8859-2"),
    "dita": FestivalVoice("czech_dita", "cs", _CZECH, "iso-8859-2"),
    "krb": FestivalVoice("czech_krb", "cs", _CZECH, "iso-8859-2"),
    "machac": FestivalVoice("czech_machac", "cs", _CZECH, "iso-8859-2"),
    "mv": FestivalVoice("hy_fi_mv_diphone", "fi", _FINNISH, "iso-8859-1"),
    "lj": FestivalVoice("suo_fi_lj_diphone", "fi", _FINNISH, "iso-8859-1"),
    "lp": FestivalVoice("lp_diphone", "it", _ITALIAN, "iso-8859-1"),
    "pc": FestivalVoice("pc_diphone", "it", _ITALIAN, "iso-8859-1"),
    "nsh": FestivalVoice("msu_ru_nsh_clunits", "ru", _RUSSIAN, "utf-8"),
    "ona": FestivalVoice("upc_ca_ona_hts", "ca", _CATALAN, "iso-8859-1"),
    "nsk-hi": FestivalVoice("hindi_NSK_diphone", "hi", _INDIC, "utf-8"),
    "nsk-mr": FestivalVoice("marathi_NSK_diphone", "mr", _INDIC, "utf-8"),
    "nsk-te": FestivalVoice("telugu_NSK_diphone", "te", _INDIC, "utf-8"),
}


def say(voice: FestivalVoice, texts: Sequence[str], stretch: float) -> list[Utterance]:
    """One utterance per text, without those that the voice cannot say; `stretch` > 1 is slower."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        lines = [_SAY, f"(voice_{voice.name})", f"(Parameter.set 'Duration_Stretch {stretch:.3f})"]
        for i, text in enumerate(texts):
            plain = text.replace("\\", " ").replace('"', " ")
            lines.append(f'(unwind-protect (say "{plain}" "{folder}/{i}.wav") (format t "!\\n"))')
        script = Path(folder, "say.scm")
        script.write_bytes("\n".join(lines).encode(voice.encoding, "replace"))
        run = subprocess.run(["festival", "--batch", str(script)], capture_output=True, timeout=120, check=False)
        heard = _parse(run.stdout.decode(voice.encoding, "replace"))
        out = []
        for i, spans in enumerate(heard):
            path = Path(folder, f"{i}.wav")
            if not spans or not path.exists():
                continue
            samples, rate_hz = read_wav(path)
            segments = expand((start, end, _ipa(voice, name)) for start, end, name in spans)
            out.append(Utterance(samples, rate_hz, segments))
        return out


def _parse(printed: str) -> list[list[tuple[float, float, str]]]:
    """Spans of each utterance; none of one that failed."""
    out: list[list[tuple[float, float, str]]] = [[]]
    for line in printed.splitlines():
        if line in ("=", "!"):
            if line == "!":
                out[-1] = []
            out.append([])
        elif len(words := line.rsplit(" ", 1)) == 2:
            start = out[-1][-1][1] if out[-1] else 0.0
            out[-1].append((start, float(words[1]), words[0]))
    return out[:-1]


def _ipa(voice: FestivalVoice, name: str) -> str:
    plain = name.rstrip("1") if len(name) > 1 and not name.startswith("h#") else name
    return voice.phones.get(name, voice.phones.get(plain, plain.rstrip(":")))
