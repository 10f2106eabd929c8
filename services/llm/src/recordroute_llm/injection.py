"""Finds sentences that give a model orders.

What was said in a recording is material. A sentence that tells the reader's model what to do can't be told from our own
instructions by a small model, so it is kept away from it, and never is evidence. Orders are told from speech about
orders by how they are addressed: "ignore the rules" is one, "we can't ignore the rules" is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from recordroute_llm.transcript import Sentence

# A verb behind one of these is an imperative, or as good as one.
_ORDERED = r"(?:^\W*|[.!?:;,] |\b(?:please|now|must|should|and|then|instead) )"
_MODEL = r"(?:ai(?: (?:assistant|model))?|(?:large )?language model|llm|chatbot|assistant|summari[sz]er)"
_ENGLISH = re.compile(
    rf"{_ORDERED}(?:ignore|disregard|forget|override|bypass|stop (?:following|obeying))\b[^.?!]{{0,40}}"
    r"\b(?:instructions?|prompts?|rules|guidelines|above|previous|context)\b"
    rf"|\byou are (?:now|no longer|from now on) (?:an? |the )?(?:{_MODEL}|dan)\b|\byou are now in \w+ mode\b"
    r"|\bas an? (?:ai|language model|chatbot)\b[^.?!]{0,20}\byou\b"
    rf"|\b(?:dear|hey|attention|note (?:to|for)) (?:the |any |all )?{_MODEL}s?\b[^.?!]{{0,16}}[,:]"
    r"|\bto (?:the |any |all )?(?:ai|language model|llm|chatbot|summari[sz]er)s?[,:]"
    rf"|{_ORDERED}(?:respond|reply|answer|output|print|repeat)\b[^.?!]{{0,12}}\b(?:only|exactly|verbatim)\b"
    rf"|{_ORDERED}(?:respond|reply|answer) with:?(?! (?:us|me|him|her|them)\b)"
    rf"|{_ORDERED}output the (?:word|phrase)\b"
    r"|\bwhen(?:ever)? you (?:summari[sz]e|answer)\b(?! the (?:phone|door))\b"
    r"|\b(?:do not|don['’]t|never) summari[sz]e\b"
    r"|\bsystem (?:prompt|override)\b|\b(?:system|developer) message(?:\W*:| says| is)|\bnew instructions?:"
    r"|\b(?:reveal|leak|show|print|repeat)\b[^.?!]{0,30}\b(?:(?:hidden|system|your) prompt|your instructions|api key)\b"
    r"|<\|?/?(?:im_start|im_end|system|user|assistant|inst)\b|\[/?INST\]|^#{2,}\s*(?:system|instruction)",
    re.IGNORECASE | re.MULTILINE,
)
_KOREAN_MODEL = r"(?:인공지능|AI|에이아이|언어 모델|챗봇|어시스턴트)(?:\s?(?:비서|모델|도우미))?"
_KOREAN_ORDER = r"(?:세요|십시오|하라|해라|해야 (?:합니다|해|한다)|합니다,)"
_KOREAN = re.compile(
    r"(?:지시|명령|규칙|지침|프롬프트|안내)(?:\s?사항)?(?:들)?(?:을|를|은|는)?\s*(?:모두|전부|다)?\s*(?:무시|잊|따르지)(?:하고|하세요|하십시오|해라|하라|고|으세요|마)"
    r"|(?:이전|위|앞|지금까지)의?\s*(?:모든\s*)?(?:지시|명령|내용|프롬프트|규칙)[^.?!]{0,12}(?:무시하|잊고|잊으|잊어)"
    r"|시스템\s*(?:프롬프트|메시지\s*:)|(?:너는|당신은)\s*(?:이제|지금부터|더 이상)"
    rf"|{_KOREAN_MODEL}(?:는|은|에게|야|로서)[^.?!]*{_KOREAN_ORDER}"
    r"|(?:라고|이라고)만\s*(?:대답|답|출력|응답|말)(?:해|하)|새로운?\s*지시(?:입니다|다\b|\s*:)"
    r"|요약할\s?때[^.?!]*(?:쓰|적|넣)으?(?:세요|십시오|어 주|라)|요약하지\s?말고[^.?!]*(?:출력|쓰|적|답)"
)


def gives_orders(sentence: str) -> bool:
    """Says whether a sentence reads like an order to a model."""
    return bool(_ENGLISH.search(sentence) or _KOREAN.search(sentence))


def without_orders(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Returns the sentences but for the orders, and all of them where nothing else is left."""
    return [sentence for sentence in sentences if not gives_orders(sentence.text)] or list(sentences)
