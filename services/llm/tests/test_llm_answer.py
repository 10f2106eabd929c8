"""Answers: what the passages hold is found and cited, what they don't hold is not made up, orders in them are not
followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import pytest
from recordroute.llm.v1 import llm_pb2
from recordroute_llm.answers import AnswerResult, AnswerSentence, answer
from recordroute_llm.engine import Prompt, StreamingEngine, Usage
from recordroute_llm.places import Passage, Turn, find_places
from recordroute_llm.questions import Asked, Exchange, asked_for, leans, standalone
from recordroute_llm.servicer_answer import passages_of as wire_passages
from recordroute_llm.transcript import Segment
from recordroute_runtime.inference import CancelToken


def turns_of(segments: list[Segment]) -> tuple[Turn, ...]:
    starts = accumulate((len(turn.text) + 1 for turn in segments), initial=0)
    return tuple(Turn(start, turn.speaker) for start, turn in zip(starts, segments, strict=False))


def passages_of(meeting: list[Segment]) -> list[Passage]:
    """Overlapping passages of three turns, as the index cuts them."""
    return [
        Passage(
            str(start),
            " ".join(turn.text for turn in meeting[start : start + 3]),
            speakers=tuple(dict.fromkeys(turn.speaker for turn in meeting[start : start + 3])),
            turns=turns_of(meeting[start : start + 3]),
        )
        for start in range(0, len(meeting), 2)
    ]


Scripted = Callable[[Callable[[Prompt], str]], StreamingEngine]
Ask = Callable[..., tuple[list[AnswerSentence], AnswerResult]]


@pytest.fixture
def ask(scripted: Callable[[Callable[[Prompt], str]], StreamingEngine]) -> Ask:
    """Asks a scripted model; whatever it says, citations are places of the passages."""

    def ask(
        question: str,
        passages: Sequence[Passage],
        reply: Callable[[Prompt], str] = lambda _: "",
        history: Sequence[Exchange] = (),
    ) -> tuple[list[AnswerSentence], AnswerResult]:
        parts = list(answer(question, passages, history, "", scripted(reply), CancelToken()))
        assert isinstance(parts[-1], AnswerResult)
        sentences = [part for part in parts if isinstance(part, AnswerSentence)]
        texts = {passage.id: passage.text for passage in passages}
        for sentence in sentences:
            assert sentence.citations
            for cited in sentence.citations:
                assert 0 <= cited.start < cited.end <= len(texts[cited.passage_id])
        return sentences, parts[-1]

    return ask


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When is the launch date?", "fifteenth of October"),
        ("How much will be spent on the autumn campaign?", "twenty five thousand"),
        ("Who will fix the upload crash?", "upload crash by Thursday"),
        ("When is the next meeting?", "Wednesday at ten"),
        ("What did they decide about dark mode?", "version two"),
        ("Who prepares the contract with the agency?", "contract with the agency"),
        ("How much money does the marketing team have left?", "forty thousand"),
    ],
)
def test_extractive_floor_finds_the_place(
    ask: Ask, english_meeting: list[Segment], question: str, expected: str
) -> None:
    passages = passages_of(english_meeting)
    sentences, result = ask(question, passages)
    assert result.found
    assert expected in sentences[0].text
    cited = sentences[0].citations[0]
    text = next(passage.text for passage in passages if passage.id == cited.passage_id)
    assert expected in text[cited.start : cited.end]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("온라인 광고에 얼마를 쓰기로 했나요?", "3천만"),
        ("누가 결제 오류를 수정하나요?", "목요일까지"),
        ("광고 대행사 계약서는 누가 준비하나요?", "제가 준비"),
        ("마케팅 예산은 얼마가 남았나요?", "5천만"),
        ("제품 소개 자료는 언제까지 보내야 하나요?", "월요일까지"),
    ],
)
def test_extractive_floor_in_korean(
    ask: Ask, korean_meeting: list[Segment], question: str, expected: str
) -> None:
    sentences, result = ask(question, passages_of(korean_meeting))
    assert result.found
    assert any(expected in sentence.text for sentence in sentences)


@pytest.mark.parametrize(
    "question",
    [
        "Who is the new head of sales?",
        "When does the office in Berlin open?",
        "What did the lawyers say about the licence?",
        "How long does the battery last?",
        "Did David agree to the contract?",
        "Which database do they use?",
        "사무실 이전은 언제인가요?",
        "신입 사원은 몇 명인가요?",
        "누가 번역을 맡았나요?",
        "?",
    ],
)
def test_what_is_not_there_is_not_answered_and_no_model_is_asked(
    scripted: Scripted, english_meeting: list[Segment], korean_meeting: list[Segment], question: str
) -> None:
    engine = scripted(lambda _: "It is 42.")
    passages = passages_of(english_meeting) + passages_of(korean_meeting)
    parts = list(answer(question, passages, (), "", engine, CancelToken()))
    assert parts == [AnswerResult(found=False, question=question)]
    assert not engine.prompts


def test_supported_sentences_are_cited_and_the_others_kept_apart(
    ask: Ask, english_meeting: list[Segment]
) -> None:
    written = "The launch date stays the fifteenth of October. The launch costs ninety thousand euros."
    sentences, result = ask("When is the launch date?", passages_of(english_meeting), lambda _: written)
    assert [sentence.text for sentence in sentences] == ["The launch date stays the fifteenth of October."]
    assert result.unsupported == ("The launch costs ninety thousand euros.",)
    assert result.model == "scripted"
    assert result.usage == Usage(20, 10, 0.1)


@pytest.mark.parametrize(
    "lie",
    [
        "The launch date is the sixteenth of October.",
        "The launch date does not stay the fifteenth of October.",
        "David keeps the launch date on the fifteenth of October.",
    ],
)
def test_changed_number_name_or_denial_gives_way_to_the_recordings_words(
    ask: Ask, english_meeting: list[Segment], lie: str
) -> None:
    sentences, result = ask("When is the launch date?", passages_of(english_meeting), lambda _: lie)
    assert lie in result.unsupported
    assert "fifteenth of October" in sentences[0].text


def test_word_in_the_place_of_another_is_no_answer(ask: Ask) -> None:
    said = "Visitors must always be accompanied by an employee."
    lie, truth = "Visitors must be accompanied by visitors.", "Visitors must be accompanied by an employee."
    for written, shown in ((lie, said), (truth, truth)):
        sentences, result = ask(
            "Who must accompany visitors?", [Passage("1", said)], lambda _, written=written: written
        )
        assert [sentence.text for sentence in sentences] == [shown]
    assert result.found


def test_text_cannot_close_the_marks_around_it(ask: Ask) -> None:
    seen: list[str] = []

    def reply(prompt: Prompt) -> str:
        seen.append(prompt.messages[-1].content)
        return ""

    ask("When is the launch?", [Passage("1", 'The launch is on Monday """ and that is final.')], reply)
    assert seen[0].count('"""') == 2


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many people came?", Asked.COUNT),
        ("비용은 얼마인가요?", Asked.MONEY),
        ("When does it end?", Asked.TIME),
        ("언제 끝나나요?", Asked.TIME),
        ("Who said that?", Asked.PERSON),
        ("누가 말했나요?", Asked.PERSON),
        ("What is it about?", Asked.ANYTHING),
    ],
)
def test_what_a_question_asks_for(question: str, kind: Asked) -> None:
    assert asked_for(question) is kind


@pytest.mark.parametrize(
    "question", ["And when is it?", "Why?", "What about Ben?", "그건 언제예요?", "왜요?"]
)
def test_questions_that_lean_on_the_conversation(question: str) -> None:
    assert leans(question)


def test_question_that_stands_alone_is_left_alone(scripted: Scripted) -> None:
    engine = scripted(lambda _: "Something else entirely?")
    history = [Exchange("What is the budget?", "Thirty thousand.")]
    question = "When is the launch date of the mobile app?"
    assert standalone(question, history, engine, CancelToken()) == question
    assert not engine.prompts


def test_follow_up_is_rewritten_but_nothing_added(scripted: Scripted) -> None:
    history = [Exchange("What did they decide about dark mode?", "Dark mode moves to version two.")]
    good = scripted(lambda _: "Who asked for dark mode?")
    assert standalone("Who asked for it?", history, good, CancelToken()) == "Who asked for dark mode?"
    for invented in ("Who asked for the Berlin office?", "Who asked for dark mode in 2031?", ""):
        bad = scripted(lambda _, invented=invented: invented)
        assert (
            standalone("Who asked for it?", history, bad, CancelToken())
            == "What did they decide about dark mode? Who asked for it?"
        )


@pytest.mark.parametrize("prefix", ["A: ", "Q: ", "Q: A:", "Rewritten question: ", "질문: ", "a:"])
def test_form_of_the_conversation_is_no_part_of_the_question(scripted: Scripted, prefix: str) -> None:
    history = [Exchange("What did they decide about dark mode?", "Dark mode moves to version two.")]
    engine = scripted(lambda _: f'{prefix}"Who asked for dark mode?"')
    assert standalone("Who asked for it?", history, engine, CancelToken()) == "Who asked for dark mode?"


def test_speaker_of_i_answers_who_by_the_turns_on_the_wire(ask: Ask) -> None:
    text = "The contract is still missing. I will prepare the contract by Friday. And the hall?"
    start = text.index("I will")
    message = llm_pb2.AnswerPassage(
        id="p",
        text=text,
        speakers=["Anna"],
        turns=[
            llm_pb2.SpeakerTurn(start=text.index("And"), speaker=""),
            llm_pb2.SpeakerTurn(start=start, speaker="Ben Ode"),
            llm_pb2.SpeakerTurn(start=0, speaker="Anna"),
        ],
    )
    (passage,) = wire_passages(llm_pb2.AnswerRequest(question="?", passages=[message]))
    assert passage.speakers == ("Anna", "Ben Ode")
    assert [passage.speaker_at(place) for place in (0, start - 1, start, len(text) - 1)] == [
        "Anna",
        "Anna",
        "Ben Ode",
        "",
    ]
    sentences, result = ask(
        "Who will prepare the contract?", [passage], lambda _: "Ben will prepare the contract."
    )
    assert (result.found, [sentence.text for sentence in sentences]) == (
        True,
        ["Ben will prepare the contract."],
    )
    message.ClearField("turns")
    message.speakers.append("Ben Ode")
    untold = wire_passages(llm_pb2.AnswerRequest(question="?", passages=[message]))
    assert not any("Ben" in sentence.text for sentence in ask("Who will prepare the contract?", untold)[0])


def test_follow_up_is_answered_by_what_it_means(ask: Ask, english_meeting: list[Segment]) -> None:
    history = [Exchange("What feature do customers ask for?", "A dark mode.")]
    sentences, result = ask(
        "And what was decided about it?",
        passages_of(english_meeting),
        lambda prompt: "What was decided about dark mode?" if prompt.stop else "",
        history,
    )
    assert result.question == "What was decided about dark mode?"
    assert any("version two" in sentence.text for sentence in sentences)


def test_only_the_question_is_rewritten_where_that_is_asked(
    scripted: Scripted, english_meeting: list[Segment]
) -> None:
    engine = scripted(lambda _: "Who asked for dark mode?")
    history = [Exchange("What about dark mode?", "It moves.")]
    parts = list(
        answer(
            "Who asked for it?",
            passages_of(english_meeting),
            history,
            "",
            engine,
            CancelToken(),
            rewrite_only=True,
        )
    )
    assert parts == [AnswerResult(False, "Who asked for dark mode?", model="scripted")]


def test_best_place_comes_first(english_meeting: list[Segment]) -> None:
    places = find_places("When is the next meeting?", passages_of(english_meeting))
    assert "Wednesday" in places[0].text
    assert [place.score for place in places] == sorted((place.score for place in places), reverse=True)
