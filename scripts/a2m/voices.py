"""Who speaks: voices of the engines, those for training and those held out."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from a2m import festival, text
from a2m.espeak import Espeak
from a2m.sound import Utterance

_ENGLISH = ("en-us", "en-us", "en-us", "en", "en", "en-gb-scotland")
TRAIN_LANGUAGES = (*_ENGLISH, *_ENGLISH, "de", "fr", "es", "pt-br", "pl", "nl", "cmn-latn-pinyin", "ru", "ja", "ko",
                   "hi", "el", "hu", "ro", "id", "cy", "cs", "it", "fi", "te")  # fmt: skip
HELD_OUT_LANGUAGES = ("tr", "sv", "et", "sr")
HELD_OUT_VOICES = ("belinda", "Diogo", "f4", "m6", "klatt3", "steph2", "quincy", "Hugo", "anika", "norbert")
TRAIN_VOICES = (
    "adam", "Alex", "Alicia", "Andrea", "Andy", "Annie", "antonio", "aunty", "benjamin", "boris", "caleb", "david",
    "Denis", "ed", "edward", "edward2", "Gene", "Gene2", "gustave", "Henrique", "iven", "iven2", "iven3", "iven4",
    "Jacky", "john", "kaukovalta", "Lee", "linda", "marcelo", "marco", "Mario", "max", "Michael", "michel", "miguel",
    "Mike", "Mr", "nguyen", "pablo", "paul", "pedro", "robert", "rob", "steph", "steph3", "Storm", "travis",
    "victor", "zac", "f1", "f2", "f3", "f5", "m1", "m2", "m3", "m4", "m5", "m7", "m8", "klatt", "klatt2", "klatt4",
    "klatt5", "klatt6", "grandma", "grandpa", "sandro", "shelby",
)  # fmt: skip
FESTIVAL_SHARE = 0.45
"""Of the sessions; festival's are recorded voices, espeak-ng's are formants."""
_ENGLISH_FESTIVAL = 3


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice of an engine, as it speaks in one session."""

    engine: str
    """espeak or festival."""
    language: str
    voice: str
    """Variant of espeak-ng, or key of `festival.VOICES`."""


def trained(rng: random.Random) -> Speaker:
    """A voice to learn from."""
    if rng.random() < FESTIVAL_SHARE:
        names = [*festival.VOICES, *["ked"] * _ENGLISH_FESTIVAL]
        name = rng.choice(names)
        return Speaker("festival", festival.VOICES[name].language, name)
    return Speaker("espeak", rng.choice(TRAIN_LANGUAGES), rng.choice(TRAIN_VOICES))


def held_out(rng: random.Random, languages: tuple[str, ...] = TRAIN_LANGUAGES) -> Speaker:
    """A voice of espeak-ng that is not learned from."""
    return Speaker("espeak", rng.choice(languages), rng.choice(HELD_OUT_VOICES))


class Engines:
    """Speech of any speaker; one object per process."""

    _BATCH = 6
    """Utterances of a voice of festival's, which are then said again and again: making them takes long."""

    def __init__(self) -> None:
        self._espeak = Espeak()

    def utterances(self, speaker: Speaker, rng: random.Random) -> Iterator[Utterance]:
        """Endless speech of one voice at one pace."""
        if speaker.engine == "espeak":
            yield from self._by_espeak(speaker, rng)
        voice = festival.VOICES[speaker.voice]
        stretch = rng.uniform(0.75, 1.35)
        said = festival.say(voice, [text.sentence(speaker.language, rng) for _ in range(self._BATCH)], stretch)
        while True:
            yield from rng.sample(said, len(said))

    def say_by_espeak(self, said: str, voice: str, rate: int, pitch: int, pitch_range: int) -> Utterance:
        """As `Espeak.say`."""
        return self._espeak.say(said, voice, rate, pitch, pitch_range)

    def _by_espeak(self, speaker: Speaker, rng: random.Random) -> Iterator[Utterance]:
        rate, pitch, pitch_range = rng.randint(110, 230), rng.randint(10, 90), rng.randint(20, 90)
        language = speaker.language.split("-")[0]
        while True:
            said = text.sentence(language, rng)
            yield self.say_by_espeak(said, f"{speaker.language}+{speaker.voice}", rate, pitch, pitch_range)
