"""Finds sentences that give a model orders.

What was said in a recording is material. A sentence that tells the reader's model what to do can't be told from our own
instructions by a small model, so it is kept away from it, and never is evidence.
"""

from __future__ import annotations

import re

_ENGLISH = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.?!]{0,40}"
    r"\b(?:instructions?|prompts?|rules|guidelines|above|previous|context|everything)\b"
    r"|\b(?:system|developer) (?:prompt|message|override)\b"
    r"|\byou are (?:now |no longer )?(?:an? |the )?(?:ai|assistant|language model|chatbot|dan)\b"
    r"|\b(?:as|to) (?:an? |the |any )?(?:ai|language model|assistant|chatbot|summari[sz]er)\b"
    r"|\b(?:respond|reply|answer|output|say|print|write|repeat)\b[^.?!]{0,20}\b(?:only|exactly|verbatim)\b"
    r"|\b(?:respond|reply|answer) (?:with|by)\b"
    r"|\bnew instructions?\b|\b(?:reveal|leak|show|print)\b[^.?!]{0,30}\b(?:prompt|instructions|password|api key)\b"
    r"|<\|?/?(?:im_start|im_end|system|user|assistant|s|inst)\b|\[/?INST\]|^#{2,}\s*(?:system|instruction)",
    re.IGNORECASE | re.MULTILINE,
)
_KOREAN = re.compile(
    r"(?:지시|명령|규칙|지침|프롬프트|안내)(?:\s?사항)?(?:들)?(?:을|를|은|는)?\s*(?:모두|전부|다)?\s*(?:무시|잊|따르지)"
    r"|(?:이전|위|앞)의?\s*(?:모든\s*)?(?:지시|명령|내용|프롬프트|규칙)[^.?!]{0,12}(?:무시|잊)"
    r"|시스템\s*(?:프롬프트|메시지)|(?:너는|당신은)\s*(?:이제|지금부터|더 이상)"
    r"|(?:인공지능|AI|언어 모델|챗봇|어시스턴트)(?:는|은|에게|야|로서)"
    r"|(?:라고|이라고|만)\s*(?:만\s*)?(?:대답|답|출력|응답)(?:해|하|만)|새로운?\s*지시"
)


def gives_orders(sentence: str) -> bool:
    """Says whether a sentence reads like an order to a model."""
    return bool(_ENGLISH.search(sentence) or _KOREAN.search(sentence))
