"""Text to be said: English sentences from our own words, and pseudo-words for every other language.

Languages are spelled, not translated: what matters is that every sound of a language comes next to every other.
"""

import random

_ENGLISH = {
    "determiner": "the a my your his her our this that every some no one two three four five six seven eight nine",
    "adjective": (
        "big small warm cold blue green white red black yellow purple smooth rough happy sad quick slow bright dark "
        "heavy light simple perfect broken beautiful wooden golden empty full early late funny serious loud quiet open "
        "closed fresh bitter sweet cheap huge tiny public private famous common possible thick thin sharp soft brave"
    ),
    "noun": (
        "mother father baby boy girl people woman man child friend problem apple bubble pepper paper number member "
        "summer winter spring autumn morning evening month week year house room window door garden table chair book "
        "music movie picture camera computer phone robot bridge river mountain forest ocean island boat ship train bus "
        "bicycle judge church church teacher student doctor nurse thumb finger mouth tooth nose ear eye face voice "
        "thought truth world word work water fire food bread butter milk sugar coffee tea wine fish bird cow dog cat "
        "sheep horse mouse shoe shirt hat coat pocket money market village valley treasure measure vision zebra shape "
        "square circle line point moment memory message home hammer map lamp bomb umbrella cup pool moon spoon jazz"
    ),
    "verb": (
        "moves makes takes finds loves needs wants keeps holds brings builds breaks buys sells shows sees hears feels "
        "thinks believes remembers forgets jumps climbs swims watches washes pushes pulls opens closes begins becomes "
        "chooses judges measures improves helps calls knows gives leaves follows reads writes plays pays wins loses "
        "bumps dumps pops wipes robs rubs hops moved popped jumped helped would could should may might will must"
    ),
    "preposition": "in on at by with from for of under above before behind between without about above upon beyond",
    "adverb": (
        "now soon again today maybe often never always perhaps please slowly quickly together apart away home early "
        "very much too just only really probably simply somehow everywhere tomorrow"
    ),
    "letter": "A B C D E F G H I J K L M N O P Q R S T U V X Y Z",
}
_WORDS = {kind: words.split() for kind, words in _ENGLISH.items()}
_PATTERNS = (
    "determiner adjective noun verb preposition determiner noun",
    "determiner noun verb adverb",
    "verb adjective noun preposition letter determiner adverb",
    "adverb determiner noun preposition determiner adjective noun verb determiner noun",
    "noun noun noun verb letter letter",
    "adjective noun verb preposition noun adverb",
    "verb noun verb adverb noun adjective letter determiner",
)

# onsets, nuclei, codas
_SYLLABLES = {
    "en": ("b d f g h j k l m n p r s t w z sh ch th bl br pl pr tr sw st sp", "a e i o u ee oo ai ow oy aw ur ar",
           "n r t l s m p b k d ng th sh mp"),
    "de": ("b d f g h k l m n p r s t w z sch st pf br kl fr tr", "a e i o u ä ö ü ei au eu ie aa ee",
           "n r t l s m ch ng p f st"),
    "fr": ("b ch d f g j l m n p qu r s t v br pl tr cl", "a e é i o u ou eu oi an on in ai au è",
           "- - - - r l s t ne me pe"),
    "es": ("b c d f g j l ll m n p r s t v ch pr br tr qu", "a e i o u ie ue ei au", "- - n s r l"),
    "pt": ("b c d f g j l lh m n nh p r s t v pr br", "a e i o u ão ei ou ã õe é ó", "- - m s r l"),
    "pl": ("b c cz d f g h j k l ł m n p r rz s sz t w z ś ć prz br", "a e i o u y ą ę ó", "- - n m t k ść w"),
    "nl": ("b d f g h k l m n p r s sch t v w z br", "a e i o u aa ee oo uu ui eu ij ou oe ie", "- n r t l s m p k"),
    "it": ("b c d f g gl gn l m n p q r s sc t v z pr br mm bb pp", "a e i o u ia io uo", "- - n l r m"),
    "tr": ("b c ç d f g h j k l m n p r s ş t v y z", "a e ı i o ö u ü", "- n r l m k p ş t"),
    "fi": ("h j k l m n p r s t v", "a e i o u y ä ö aa ee ii oo uu yy ää ie uo yö ai", "- - n s l r t mm pp"),
    "sv": ("b d f g h j k l m n p r s t v sk sj tj", "a e i o u y å ä ö", "- n r l m tt ng k"),
    "et": ("b d g h j k l m n p r s t v", "a e i o u õ ä ö ü aa ee ii oo uu ai ei", "- - n s l r t m p"),
    "sr": ("b c č ć d dž đ f g h j k l lj m n nj p r s š t v z ž", "a e i o u", "- - n m t k r s"),
    "cs": ("b c č d ď f g h ch j k l m n ň p r ř s š t v z ž br pr", "a e i o u y á é í ou ů", "- - n m t k l s"),
    "hu": ("b c cs d f g gy h j k l m n ny p r s sz t v z zs", "a á e é i í o ó ö ő u ü ű", "- - n k t l m p"),
    "ro": ("b c d f g h j l m n p r s ș t ț v z", "a ă â e i o u ea oa", "- - n r t m p l"),
    "id": ("b c d g h j k l m n ng ny p r s t w y", "a e i o u ai au", "- n ng m k p t r"),
    "cy": ("b c ch d dd f ff g h l ll m n p r s t th w", "a e i o u w y ae oe", "- n r l m d"),
    "ca": ("b c d f g j l ll m n ny p r s t v x br pr tr", "a e i o u ó è ai eu ou", "- - n s r l m"),
    "cmn": ("b p m f d t n l g k h j q x zh ch sh r z c s y w",
            "a o e i u ai ei ao ou an en ang eng ong ian uan ie iao", "1 2 3 4"),
    "ru": ("б в г д ж з к л м н п р с т ф х ц ч ш", "а е и о у ы э ю я", "- - - н т м л с"),
    "el": ("β γ δ ζ θ κ λ μ ν π ρ σ τ φ χ ψ μπ", "α ε η ι ο υ ω ου", "- - - ν ς"),
    "hi": ("क ख ग च ज ट ड त द न प फ ब भ म य र ल व श स ह", "ा ि ी ु ू े ै ो ौ -", "-"),
    "te": ("క గ చ జ ట డ త ద న ప బ మ య ర ల వ శ స హ", "ా ి ీ ు ూ ె ే ొ ో -", "- - - ం"),
    "ja": ("-", "あ い う え お か き く け こ さ し す せ そ た ち つ て と な に ぬ ね の は ひ ふ へ ほ "
                "ま み む め も ら り る れ ろ や ゆ よ わ ば び ぶ べ ぼ ぱ ぴ ぷ ぺ ぽ が ぎ ぐ げ ご", "- - - - ん"),
}  # fmt: skip
_SYLLABLES["mr"] = _SYLLABLES["hi"]
_TABLES = {
    language: [[part.replace("-", "") for part in column.split()] for column in columns]
    for language, columns in _SYLLABLES.items()
}
_MINIMAL = ("m", "n", "b", "d", "p", "t", "g", "k", "ng")
"""Consonants between the same vowels: only the ear tells lips from tongue."""


def sentence(language: str, rng: random.Random) -> str:
    """About one to four seconds of speech in a language of `_SYLLABLES`, or Korean."""
    if language == "en" and rng.random() < 0.75:
        words = _english(rng)
    elif language == "ko":
        words = ["".join(_hangul(rng) for _ in range(rng.choice((1, 2, 3)))) for _ in range(rng.randint(3, 9))]
    else:
        words = [_pseudo_word(language, rng) for _ in range(rng.randint(3, 9))]
    if len(words) > 6 and rng.random() < 0.5:
        words[len(words) // 2] += ","
    return " ".join(words) + rng.choice("...?!")


def _english(rng: random.Random) -> list[str]:
    words = [rng.choice(_WORDS[kind]) for kind in rng.choice(_PATTERNS).split()]
    if rng.random() < 0.3:
        words += [rng.choice(_WORDS[kind]) for kind in rng.choice(_PATTERNS).split()]
    if rng.random() < 0.25:
        vowel = rng.choice(("a", "ee", "oo", "o", "ay"))
        words[rng.randrange(len(words))] = "".join(
            rng.choice(_MINIMAL).replace("ng", "g") + vowel for _ in range(rng.choice((2, 3, 4)))
        )
    return words


def _pseudo_word(language: str, rng: random.Random) -> str:
    onsets, nuclei, codas = _TABLES[language]
    coda = 1.0 if language == "cmn" else 0.5
    return "".join(
        rng.choice(onsets) + rng.choice(nuclei) + (rng.choice(codas) if rng.random() < coda else "")
        for _ in range(rng.choice((1, 2, 2, 2, 3, 3)))
    )


def _hangul(rng: random.Random) -> str:
    return chr(0xAC00 + rng.randrange(19) * 588 + rng.randrange(21) * 28 + rng.choice((0, 0, 4, 8, 16, 21)))
