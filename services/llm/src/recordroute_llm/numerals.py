"""Finds numbers in English and Korean text, in digits and spelt out, with their values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from recordroute_llm.lexicon import TENS_WORDS, UNIT_WORDS

_UNITS = {name: value for value, name in enumerate(UNIT_WORDS)}
_TENS = {name: 10 * value for value, name in enumerate(TENS_WORDS, start=2)}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_ORDINALS = {
    "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine", "twelfth": "twelve",
}  # fmt: skip
_HANGUL_SCALES = {"십": 10, "백": 100, "천": 1_000, "만": 10_000, "억": 100_000_000, "조": 1_000_000_000_000}
_SINO = {digit: value for value, digit in enumerate("영일이삼사오육칠팔구")} | {"공": 0}
_NATIVE_UNITS = {
    "한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9,
}  # fmt: skip
_NATIVE_TENS = {
    "열": 10, "스무": 20, "스물": 20, "서른": 30, "마흔": 40, "쉰": 50, "예순": 60, "일흔": 70, "여든": 80, "아흔": 90,
}  # fmt: skip
DAY_COUNTS = {
    "하루": 1, "이틀": 2, "사흘": 3, "나흘": 4, "닷새": 5, "엿새": 6, "이레": 7, "여드레": 8, "아흐레": 9, "열흘": 10,
    "보름": 15,
}  # fmt: skip

_TOKEN = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:[.:]\d+)*|[A-Za-z]+|[.,;:!?]|[가-힣]+")
_HANGUL_AMOUNT = re.compile(r"\d[\d,.]*\s*[십백천만억조](?![가-힣]?[년월])(?:\s*[\d,.]*\s*[십백천만억조])*")
# Syllables that are digits are words as well: they count only before what is counted.
_SINO_AMOUNT = re.compile(
    r"(?<![가-힣\d])(?:[영공일이삼사오육칠팔구]?\s?[십백천만억조]|[영공일이삼사오육칠팔구](?=[십백천만억조]))"
    r"[영공일이삼사오육칠팔구십백천만억조]*(?:\s[일이삼사오육칠팔구십백천만]*[십백천만])*[일이삼사오육칠팔구]?"
    r"(?=\s?(?:원|퍼센트|프로|명|건|개|분|초|일|월|년|주|층|호|회|유로|달러|메가|기가|킬로|미터|페이지|쪽|배|대|장|점|차|상자|글자|자(?![가-힣])|병|마리|권|살|[가-힣]*%))"
    r"|(?<![가-힣\d])[영공일이삼사오육칠팔구](?=\s?(?:퍼센트|프로|개월|년|월|주일|주(?=\s?(?:정도|간|동안|안|뒤|후|만|전))|층|차|분기|단계|호선|인분|박))"
)
_NATIVE = re.compile(
    r"(?<![가-힣\d])(?:(열|스물|스무|서른|마흔|쉰|예순|일흔|여든|아흔)?(한|두|세|네|다섯|여섯|일곱|여덟|아홉)|"
    r"(열|스무|서른|마흔|쉰|예순|일흔|여든|아흔))"
    r"(?=\s?(?:시|명|개|건|분|번|달|가지|주|살|대|장|곳|군데|배|사람|차례|단계|자리|편|권|채|팀|배|상자|글자|자(?=[^가-힣]|$|[은는이가를만의였입])|병|그루|동|마리|벌|반(?=[은이을인에도\s]|$)))"
)
_HALF = re.compile(r"and a half\b", re.IGNORECASE)
_DAYS = re.compile(rf"(?<![가-힣])(?:{'|'.join(sorted(DAY_COUNTS, key=len, reverse=True))})")


@dataclass(frozen=True)
class Number:
    """A number of a text: its value in digits, and its place in code points."""

    value: str
    start: int
    end: int


def plain(value: float) -> str:
    """Returns a value in digits, without decimals where it has none."""
    return str(int(value)) if value == int(value) else str(round(value, 6))


def _base(word: str) -> str:
    folded = word.casefold()
    if folded in _ORDINALS:
        return _ORDINALS[folded]
    if folded.endswith("tieth"):
        return folded.removesuffix("ieth") + "y"
    cardinal = folded.removesuffix("th")
    return cardinal if cardinal in _UNITS or cardinal in _SCALES else folded


def is_number(word: str) -> bool:
    """Says whether a word is a number, in digits or spelt out."""
    if word[0].isdigit():
        return True
    if word in DAY_COUNTS:
        return True
    base = _base(word)
    return base in _TENS or base in _SCALES or (base in _UNITS and word.casefold() != "second")


def find_numbers(text: str) -> list[Number]:
    """Returns the numbers of a text in order: "1,200", "1.2 thousand", "twelve hundred" and "fifteenth" as 1200 and
    15, "5천만" and "오천만" as 50000000, "사흘" as 3. An English "one" by itself, mostly a pronoun, is left out."""
    found: list[Number] = []
    for pattern, value in (
        (_HANGUL_AMOUNT, lambda match: _hangul_amount(match.group())),
        (_SINO_AMOUNT, lambda match: _hangul_amount(_sino_digits(match.group()))),
        (_NATIVE, _native),
        (_DAYS, lambda match: str(DAY_COUNTS[match.group()])),
    ):
        for match in pattern.finditer(text):
            found.append(Number(value(match), match.start(), match.end()))
            text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    found += _latin_numbers(text)
    return sorted(found, key=lambda number: number.start)


def _native(match: re.Match[str]) -> str:
    tens, units, round_tens = match.groups()
    return str(_NATIVE_TENS.get(tens or round_tens or "", 0) + _NATIVE_UNITS.get(units or "", 0))


def _sino_digits(text: str) -> str:
    return "".join(str(_SINO[character]) if character in _SINO else character for character in text)


def _hangul_amount(text: str) -> str:
    total = section = 0.0
    digits = ""
    for character in text:
        if character.isdigit() or character == ".":
            digits += character
        elif character in _HANGUL_SCALES:
            scale = _HANGUL_SCALES[character]
            number = float(digits.rstrip(".") or 0)
            digits = ""
            if scale >= 10_000:
                total += (section + number or 1) * scale
                section = 0.0
            else:
                section += (number or 1) * scale
    return plain(total + section + float(digits.rstrip(".") or 0))


def _latin_numbers(text: str) -> Iterator[Number]:
    """Yields numbers in digits and in English words. A scale word multiplies digits as well: "2.5 million"."""
    total = group = 0.0
    last = ""
    start = end = 0
    for match in [*_TOKEN.finditer(text), None]:
        if match and last and match.start() < end:
            continue
        token = match.group() if match else "."
        base = _base(token)
        digits = token[0].isdigit()
        if last and base in _SCALES:
            if last == "half":
                total, group = (total + group) * _SCALES[base], 0
            elif _SCALES[base] == 100:
                group *= 100
            else:
                total, group = total + group * _SCALES[base], 0
        elif last in _SCALES and base == "and":
            continue
        elif last and match and (half := _HALF.match(text, match.start())):
            total, last, end = total + 0.5, "half", half.end()
            continue
        else:
            small = base in _UNITS and token.casefold() != "second"
            joins = last and (
                (small and last in _TENS and 0 < _UNITS[base] < 10)
                or (last in _SCALES and (small or base in _TENS))
            )
            if last and not joins:
                if not (last == "one" and total + group == 1):
                    yield Number(plain(total + group), start, end)
                total = group = 0
                last = ""
            if match is None:
                return
            if digits:
                value = token.replace(",", "")
                if value.count(".") + value.count(":") > 1 or ":" in value:
                    yield Number(value, match.start(), match.end())
                    continue
                start, group, last = match.start(), float(value), "digits"
                end = match.end()
                continue
            if not (small or base in _TENS):
                continue
            if not last:
                start = match.start()
            group += _TENS.get(base, 0) or _UNITS.get(base, 0)
        assert match is not None
        last, end = base, match.end()
