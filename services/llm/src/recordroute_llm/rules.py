"""Finds decisions, action items, risks and next steps by cue phrases, in English and Korean.

Small models choose them badly; people announce them in few set phrases, which rules find.
"""

from __future__ import annotations

import re

# One pattern a word; "_" stands for a space.
_TASKS = re.sub(
    r"\s+",
    "|",
    """
    send prepare write update check fix review schedule book call e-?mail mail contact finish finali[sz]e complete
    set_up share draft look_into follow_up take_care test investigate organi[sz]e create document deploy ask talk_to
    speak_(?:to|with) order confirm arrange circulate present submit collect upload publish invite inform
    tell(?!_(?:me|us)) remind(?!_(?:me|us)) report get_back put add make do_(?:that|it|this|the) bring provide
    deliver implement design build analy[sz]e measure verify clean_up migrate move change remove register sign pay
    translate record summari[sz]e plan coordinate meet distribute forward post print evaluate compare research
    find_out work_on give(?!_(?:me|us)) hand
    """.strip(),
).replace("_", " ")
_ADVERBS = "(?:(?:also|then|just|please|probably|certainly|definitely|try to|go and|go ahead and|have to) )*"
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
_DUE = rf"\bby (?:(?:the )?end of|tomorrow|tonight|noon|next|this|then|the \w+|\d|{_DAYS}|{_MONTHS})"
_WILL = "(?:['’]ll| will|['’]m going to|['’]re going to| (?:am|is|are) going to)"

_ENGLISH_REQUEST = re.compile(rf"\b(?:can|could|would|will) you {_ADVERBS}(?:{_TASKS})\b", re.IGNORECASE)
_ENGLISH_ACTIONS = (
    _ENGLISH_REQUEST,
    *(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"\b[a-z]+{_WILL} {_ADVERBS}(?:{_TASKS})\b",
            rf"(?:^|[,;] )please {_ADVERBS}(?:{_TASKS})\b",
            r"^(?-i:[A-Z]\w+), please \w+",
            r"\b[a-z]+ (?:really )?(?:needs?|ha(?:s|ve)|ought|should|must)(?: to)? "
            rf"{_ADVERBS}(?:{_TASKS})\b.*?(?:{_DUE}|\b(?:today|tomorrow|next week|before)\b)",
            rf"\b(?:will|to|should|must|shall)\b.*{_DUE}",
            r"\b(?:action item|action point|to-?do)s?\b",
            r"\b(?:am|is|are|be) responsible for\b|\bassigned to\b|\bmake sure (?:that |to )",
            r"\btakes? (?:over|ownership|the lead)\b|\bi['’]ll take (?:that|it|this|care)\b",
        )
    ),
)
_ENGLISH_DECISIONS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?:we|they|the \w+|everyone|everybody|all)(?:['’]ve| have| had| has)? "
        r"(?:all |already |now |just |finally )?"
        r"(?:decided|agreed|chosen|chose|resolved|settled|approved|concluded)\b",
        r"(?:\b(?:is|are|was|were|been)|\bit['’]s) (?:hereby |now |all |finally )?"
        r"(?:decided|agreed|approved|settled|adopted)\b",
        r"\b(?:the|our|final) decision (?:is|was)\b|\bdecision made\b",
        r"^(?:\w+,? )?(?:agreed|decided|approved|motion carried)\b[.,:!]?",
        r"\blet['’]?s (?:just |then |all )?"
        r"(?:go with|stick with|stick to|keep|use|drop|postpone|choose|take|settle on|leave)\b",
        r"\b(?:so|then|okay|ok|well),? let us (?:go with|stick with|keep|use|drop|leave|postpone)\b",
        r"\bwe(?:['’]ll| will|['’]re going to| are going to|['’]re| are) (?:all |then |now )?(?:go with|going with|"
        r"stick(?:ing)? (?:with|to)|adopt|adopting|postpone|postponing|drop|dropping|settle on|choose|cancel)\b",
        r"\b(?:deadline|date|budget|price|meeting|launch|release|name|plan)\b[^.?!]* "
        r"(?:stays|remains|is (?:set|fixed) (?:to|for|at)|is moved to)\b",
    )
)
_ENGLISH_UNDECIDED = re.compile(
    r"(?:\b(?:not|never|yet to|have to|has to|need to|must|should|shall|to be|whether|before|until|if)\b|n['’]t\b)"
    r"[^.]{0,24}\b(?:decid|agree|settle|approv|chos|conclud)",
    re.IGNORECASE,
)

_KOREAN_DECISIONS = re.compile(
    r"기로\s?(?:했|하였|결정|합의|확정|하겠|하죠|합시다|정했|의결)"
    r"|(?:으로|로)\s?(?:결정|확정|합의|정했|정하|갑시다|가겠습니다|가죠|진행하겠습니다|진행합시다)"
    r"|(?:결정|확정|합의|승인|채택|의결|가결)(?:했|하였|됐|되었|합니다|하겠습니다|입니다|된 )"
)
_KOREAN_UNDECIDED = re.compile(
    r"(?:결정|확정|합의|승인)(?:해야|하지|되지|을 못|을 내리지|할지|하면|되면|이 안)|아직|미정|보류할지"
)
_KOREAN_TASKS = (
    "수정|준비|작성|공유|전달|검토|확인|정리|보고|발송|예약|연락|업데이트|테스트|조사|제출|배포|완료|등록|요청|처리|점검|"
    "섭외|구매|주문"
)
_KOREAN_ACTIONS = re.compile(
    r"주세요|주십시오|주시기|주시면|주시겠|부탁드|부탁합|부탁해|바랍니다"
    r"|(?:까지|내로|안에|후에|오후에|오전에|내일|다음 주)[^.?!]*"
    r"(?:겠습니다|게요|께요|해야|예정입니다|합시다|합니다|드릴|보낼|하세요)"
    r"|제가[^.?!]*(?:겠습니다|게요|께요)"
    rf"|(?:{_KOREAN_TASKS})(?:해서|하여)?[^.?!]{{0,8}}"
    r"(?:하겠습니다|할게요|할께요|드리겠습니다|해야 (?:합니다|해요|됩니다|돼요|한다)|해 놓겠습니다|하도록)"
    r"|담당(?:하|자|은|입니다)|맡(?:기로|아|겠|을)"
)
# What is only said to lead through a meeting or a talk.
_KOREAN_COURTESY = re.compile(
    r"(?:시작|마치|마무리|논의|말씀|소개|설명|이야기|진행|인사|발표|강의)(?:을|를|에 대해)?\s?"
    r"(?:해\s?)?(?:하|드리)?(?:도록\s)?하?겠습니다|말씀(?:해|하여)\s?주|현황을 \S+겠습니다"
    r"|^(?:오늘은|오늘 회의|먼저)\s[^.?!]*겠습니다|알겠습니다|감사하겠습니다|좋겠습니다|배우겠습니다|보겠습니다|살펴"
)

_ENGLISH_RISKS = re.compile(
    r"\b(?:risks?|risky|danger|concerns?|concerned|worr(?:y|ied|ies|ying)|afraid|blockers?|blocked|bottleneck|obstacle|"
    r"behind schedule|delay(?:s|ed)?|overdue|shortage|understaffed|unclear|unresolved|uncertain|threat|vulnerab\w+|"
    r"outage|downtime|leak(?:s|ed|ing)?|crash(?:es|ed|ing)?|fail(?:s|ed|ing|ures?)?|broken|bugs?|complain(?:s|ed|ts?)?|"
    r"over budget|dangerous|hazard|missing|short of|broke down|cancell?ed|stole|stolen|theft|problems?|issues?)\b"
    r"|\b(?:might|may|could) (?:not |be |lose|miss|slip|fail|run out|break|cost us)"
    r"|\b(?:running|run|ran) out of\b|\bwo(?:n['’]t| not) (?:last|make|meet|finish|be ready|have enough)"
    r"|\b(?:not|n['’]t) (?:have )?enough\b|\bstill (?:do(?:es)?n['’]t|have no|has no|missing|waiting for|open)\b",
    re.IGNORECASE,
)
_ENGLISH_NO_RISK = re.compile(
    r"\b(?:no|not an?|without|any|isn['’]t an?|never) (?:\w+ )?(?:problems?|issues?|risks?|concerns?|blockers?|bugs?|"
    r"delays?|complaints?|failures?)\b|\b(?:solved|fixed|resolved)\b|\bdon['’]t worry\b",
    re.IGNORECASE,
)
_KOREAN_RISKS = re.compile(
    r"위험|리스크|우려|걱정|차질|지연|늦어[지질졌]|부족|불확실|불투명|막혀|막혔|병목|장애|실패|누락|불만|어렵습니다|어려울|촉박"
    r"|(?:오류|버그|이슈|문제)(?:가|는|도|를|점이)?\s?(?:\S+\s)?(?:있|발생|생기|생길|생겼|나타|계속|남아|심각|큽)"
    r"|아직[^.?!]*(?:못|않|안\s|미정|없)|초과할|모자[라랄]|끊기|끊긴|수 없[다는습]|고장|새고 있"
    r"|초과|손상|상했|더 필요합|만 구했|만 지원했"
)
_KOREAN_NO_RISK = re.compile(
    r"(?:문제|이슈|오류|위험|우려|걱정|차질|지연|리스크|장애|불만)(?:는|은|이|가|도|할)?\s?(?:전혀\s|필요\s?)?(?:없|아니|안\s)|해결(?:했|됐|되었)|해소"
)
_ENGLISH_NEXT_STEPS = re.compile(
    r"\bnext (?:step|steps|meeting|session|call|review|class|lecture|milestone|phase|round|sync|check-in|appointment)\b"
    r"|\bwe(?:['’]ll| will| are going to|['’]re going to)(?: \w+)? (?:meet|reconvene|continue|follow up|"
    r"come back|talk again|start|begin|revisit|look at|discuss|move on)\b"
    r"|\b(?:let['’]?s|let us) (?:meet|talk|continue|revisit|come back|follow up|reconvene)\b[^.?!]*"
    r"(?:\b(?:again|next|tomorrow|later|on)\b)"
    r"|\b(?:after that|afterwards|once (?:that|this|it) is done|from there|as a next step)\b"
    r"[^.?!]*\b(?:will|['’]ll|going to|can)\b"
    r"|\bfollow-up (?:meeting|call|session)\b|\bsee you (?:next|on|again)\b",
    re.IGNORECASE,
)
_KOREAN_NEXT_STEPS = re.compile(
    r"다음\s?(?:회의|단계|미팅|모임|수업|시간|강의|면접|통화|일정|점검|면담|상담)(?:은|는|에|에는|에서는|으로|로|까지)"
    r"|(?:이후|향후|앞으로|그다음|그 다음|다음으로)[^.?!]*(?:예정|계획|겠습니다|합니다|할 것)"
    r"|(?:시작|진행|착수|개최|재개|출시|도입|배포)할 (?:예정|계획)|다시 (?:모이|만나|논의하|이야기하|통화하|연락드리)"
)

_FILLERS = re.compile(
    r"^(?:(?:um+|uh+|er+|hm+|mm+|oh|okay|ok|yeah|yes|yep|so|well|right|sure|good|great|fine|alright|all right|and|but"
    r"|then|now|you know|i mean|actually|basically)(?:[,.!]+\s*|\s+(?=(?:um|uh|er|so|well|okay|then)\b))"
    r"|(?:and|but|so|then|because)\s+(?=(?:i|we|it|you|he|she|they|the|our|this|there|let|my)\b)"
    r"|(?-i:(?:And|But|So|Then)\s+(?=[A-Z]))"
    r"|good (?:morning|afternoon|evening)(?: everyone| everybody| all)?[,.!]\s*(?:let['’]s get started[.,!]\s*)?"
    r"|(?:네|예|음|어|아|좋습니다|그러면|그럼|그런데|그래서|자|안녕하세요)[,.!]\s*|(?:그러면|그럼)\s+)+",
    re.IGNORECASE,
)


def tidy(sentence: str) -> str:
    """Returns a sentence without the fillers that it begins with, its first letter a capital."""
    rest = _FILLERS.sub("", sentence).strip(" ,")
    return rest[:1].upper() + rest[1:] if len(rest) > 1 else sentence


def is_question(sentence: str) -> bool:
    """Says whether a sentence asks."""
    return sentence.rstrip("\"'”’) ").endswith(("?", "？"))


def is_statement(line: str, language: str) -> bool:
    """Says whether a line is a whole sentence. Korean shows it by its last syllable; other languages pass."""
    return language != "ko" or line.rstrip(" .!")[-1:] in tuple("다요죠음함임됨")


def is_decision(sentence: str) -> bool:
    """Says whether a sentence announces what was decided."""
    if is_question(sentence):
        return False
    if _KOREAN_DECISIONS.search(sentence) and not _KOREAN_UNDECIDED.search(sentence):
        return True
    return any(cue.search(sentence) for cue in _ENGLISH_DECISIONS) and not _ENGLISH_UNDECIDED.search(sentence)


def is_risk(sentence: str) -> bool:
    """Says whether a sentence tells what goes wrong or may go wrong."""
    if is_question(sentence):
        return False
    if _KOREAN_RISKS.search(sentence) and not _KOREAN_NO_RISK.search(sentence):
        return True
    return bool(_ENGLISH_RISKS.search(sentence)) and not _ENGLISH_NO_RISK.search(sentence)


def is_next_step(sentence: str) -> bool:
    """Says whether a sentence announces what comes next for all."""
    if is_question(sentence):
        return False
    return bool(_KOREAN_NEXT_STEPS.search(sentence) or _ENGLISH_NEXT_STEPS.search(sentence))


def is_action(sentence: str) -> bool:
    """Says whether a sentence gives somebody something to do: a promise, a request, a duty with a date."""
    if _KOREAN_ACTIONS.search(sentence) and not is_question(sentence):
        return not _KOREAN_COURTESY.search(sentence)
    if is_question(sentence):
        return bool(_ENGLISH_REQUEST.search(sentence))
    return any(cue.search(sentence) for cue in _ENGLISH_ACTIONS)
