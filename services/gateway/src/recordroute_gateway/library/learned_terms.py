"""Which corrections of a transcript are worth remembering: names and terms that were misheard.

A correction is learned where a word or a short phrase was replaced by another that sounds or looks like it. What is
left alone: segments that were rewritten, numbers, common words, verb forms, and changes of case or signs only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from recordroute_gateway.library.transcript_edits import CORRECTED_WORDS, Correction

# As long as a term of the vocabulary may be.
MAX_TERM_BYTES = 128
# Ratcliff/Obershelp ratio of the letters, Hangul decomposed: "comfy you eye" and "ComfyUI" have 0.67, "car" and
# "vehicle" 0.2.
ALIKE = 0.45
LETTERS = 3
SYLLABLES = 2

_EDGES = re.compile(r"^[^\w]+|[^\w+#]+$")
_HANGUL = re.compile("[가-힣]")
# Particles that follow a noun; a noun of one syllable before them is not told apart from a longer word.
_PARTICLE = re.compile(
    "(?<=[가-힣]{2})(?:에게서|한테서|으로부터|에서는|에게|한테|께서|에서|으로|부터|까지|처럼|보다|이랑|이나|은|는|이|가|을|를|에|의|도|만|로|와|과|랑|나)$"
)
_AFTER_VOWEL = {
    "을": "를",
    "은": "는",
    "이": "가",
    "과": "와",
    "으로": "로",
    "이랑": "랑",
    "이나": "나",
}
_VERB = re.compile("(?:다|요|죠|까|네|며|면서?|지만|는데|니까|어서|아서|해서|하고|했고|려고)$")
_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion first"
    " second third half percent dozen"
)
_NUMBERS = frozenset(_NUMBER_WORDS.split())
_KOREAN_NUMBER = re.compile(
    "(?:[영공일이삼사오육칠팔구십백천만억조]+|하나|둘|셋|넷|다섯|여섯|일곱|여덟|아홉|열|스물|서른|마흔|쉰)"
    "(?:개|명|원|년|월|일|시|분|번|주|퍼센트|달러)?"
)
# The words that English texts are made of: nobody needs to be reminded of them.
_COMMON_WORDS = (
    "the be to of and a in that have i it for not on with he as you do at this but his by from they we say her she or"
    " an will my one all would there their what so up out if about who get which go me when make can like time no just"
    " him know take people into year your good some could them see other than then now look only come its over think"
    " also back after use two how our work first well way even new want because any these give day most us is are was"
    " were been being has had does did doing said says made went gone got getting going really very much many more"
    " less should must might may shall need needs right left here where why again still such through before between"
    " both each"
    " few own same too under while down off once during without within against around among another something anything"
    " nothing everything someone anyone everyone always never often maybe perhaps actually basically probably thing"
    " things lot little big small great long last next old high different large early important public bad able better"
    " best sure okay yes yeah hello thanks thank please sorry today tomorrow yesterday week month morning evening night"
    " meeting question answer point part place case group company problem fact hand life world house child children"
    " woman man women men called call asked ask tried try started start keep let begin seem help talk turn show hear"
    " play run move live believe bring happen write provide sit stand lose pay meet include continue set learn change"
    " lead understand watch follow stop create speak read allow add spend grow open walk win offer remember love"
    " consider appear buy wait serve die send expect build stay fall cut reach kill remain"
)
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class LearnedTerm:
    """A term, and how it was misheard."""

    text: str
    heard_as: str


def learned_terms(corrections: Iterable[Correction]) -> Iterator[LearnedTerm]:
    """Yields what corrections teach, each pair as often as it was corrected."""
    for correction in corrections:
        if correction.rewritten:
            continue
        heard, text = _core(correction.heard), _core(correction.written)
        heard, text = _without_particles(heard, text)
        if _is_term(heard, text, first=correction.first):
            yield LearnedTerm(text, heard)


def _core(text: str) -> str:
    words = unicodedata.normalize("NFC", " ".join(text.split())).split(" ")
    words[0] = _EDGES.sub("", words[0])
    words[-1] = _EDGES.sub("", words[-1])
    text = " ".join(words).strip()
    return re.sub(r"['’]s$", "", text)


def _without_particles(heard: str, text: str) -> tuple[str, str]:
    """Takes off the particle that both end with: what was corrected is the noun."""
    old, new = _PARTICLE.search(heard), _PARTICLE.search(text)
    if old and new and _role(old.group()) == _role(new.group()):
        return heard.removesuffix(old.group()), text.removesuffix(new.group())
    return heard, text


def _role(particle: str) -> str:
    """Returns the form of a particle that follows a vowel."""
    return _AFTER_VOWEL.get(particle, particle)


def _is_term(heard: str, text: str, *, first: bool) -> bool:
    words, old_words = text.split(), heard.split()
    if not words or not old_words or max(len(words), len(old_words)) > CORRECTED_WORDS:
        return False
    if len(text.encode()) > MAX_TERM_BYTES or len(heard.encode()) > MAX_TERM_BYTES:
        return False
    if _has_number(words) or _has_number(old_words) or _digits(text) != _digits(heard):
        return False
    if _letters(heard) == _letters(text):
        # Only the spelling has changed: worth it where case or spaces make a name of it.
        return _is_spelling(heard, text)
    if SequenceMatcher(None, _letters(heard), _letters(text), autojunk=False).ratio() < ALIKE:
        return False
    if _HANGUL.search(text):
        return sum(map(len, words)) >= SYLLABLES and not any(map(_VERB.search, words))
    if sum(character.isalpha() for character in text) < LETTERS and text.isascii():
        return False
    return _looks_like_a_name(heard, words, first=first)


def _is_spelling(heard: str, text: str) -> bool:
    inner_capital = any(character.isupper() for word in text.split() for character in word[1:])
    return heard != text and inner_capital and not text.isupper()


def _looks_like_a_name(heard: str, words: list[str], *, first: bool) -> bool:
    if any(character.isupper() for word in words for character in word[1:]):
        return True
    rare = [word for word in words if word.casefold() not in _COMMON]
    if not rare:
        return False
    # A sentence begins with a capital anyway.
    capitals = [word for word in (words[1:] if first and len(words) > 1 else words) if word[0].isupper()]
    if capitals and not (first and len(words) == 1):
        return True
    return len(words) == 1 and len(heard.split()) <= CORRECTED_WORDS


def _has_number(words: Iterable[str]) -> bool:
    return any(
        word.casefold().strip(".,") in _NUMBERS
        or _KOREAN_NUMBER.fullmatch(word) is not None
        or not any(character.isalpha() for character in word)
        for word in words
    )


def _digits(text: str) -> list[str]:
    return re.findall(r"\d+", text)


def _letters(text: str) -> str:
    """Returns the letters in their smallest parts, Hangul as jamo, without case."""
    return "".join(
        character for character in unicodedata.normalize("NFD", text).casefold() if character.isalpha()
    )
