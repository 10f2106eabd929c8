"""llm.v1.LlmService by a blocking client."""

from __future__ import annotations

import grpc
import pytest
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute_runtime.remote import read_error

SOCKET = "llm"


@pytest.fixture(scope="module")
def grpc_stub_cls() -> type[llm_pb2_grpc.LlmServiceStub]:
    return llm_pb2_grpc.LlmServiceStub


def test_summarize(grpc_stub, meeting) -> None:
    answers = list(
        grpc_stub.Summarize(llm_pb2.SummarizeRequest(segments=meeting, language="en"), timeout=120)
    )
    minutes = answers[-1].result.minutes
    assert minutes.language == "en"
    assert minutes.sections
    for section in minutes.sections:
        for item in section.items:
            assert item.evidence
            assert all(evidence.quote == meeting[evidence.segment_index].text for evidence in item.evidence)
    steps = [answer.progress.completed_steps for answer in answers if answer.HasField("progress")]
    assert steps == sorted(steps)


def test_title(grpc_stub, meeting) -> None:
    title = grpc_stub.Title(llm_pb2.TitleRequest(segments=meeting), timeout=60).title
    assert 1 <= len(title) <= 60
    assert "\n" not in title
    assert title[0] not in "\"'“"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"segments": []}, "INVALID_FIELDS"),
        ({"model": "unknown"}, "MODEL_MISSING"),
        ({"language": "?"}, "INVALID_FIELDS"),
    ],
)
def test_bad_requests(grpc_stub, meeting, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        grpc_stub.Title(llm_pb2.TitleRequest(**{"segments": meeting, **changes}), timeout=60)
    assert read_error(caught.value).reason == reason


def test_transcript_without_text(grpc_stub, meeting) -> None:
    blank = [type(meeting[0])(start=meeting[0].start, end=meeting[0].end, text="  ")]
    with pytest.raises(grpc.RpcError) as caught:
        list(grpc_stub.Summarize(llm_pb2.SummarizeRequest(segments=blank), timeout=60))
    assert read_error(caught.value).reason == "EMPTY_TRANSCRIPT"


def test_unary_call_without_deadline(grpc_stub, meeting) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        grpc_stub.Title(llm_pb2.TitleRequest(segments=meeting))
    assert read_error(caught.value).reason == "DEADLINE_REQUIRED"


def test_generate_streams_and_tells_what_it_cost(grpc_stub) -> None:
    messages = [llm_pb2.ChatMessage(role=llm_pb2.ROLE_USER, content="Say hello.")]
    request = llm_pb2.GenerateRequest(messages=messages, owner="contract", max_tokens=8)
    *deltas, last = grpc_stub.Generate(request, timeout=60)
    assert "".join(answer.delta for answer in deltas)
    used = last.result.usage
    assert 1 <= used.completion_tokens <= 8
    known = grpc_stub.GetUsage(llm_pb2.GetUsageRequest(owner="contract"), timeout=60)
    assert sum(usage.completion_tokens for usage in known.usages) == used.completion_tokens


def test_count_tokens(grpc_stub) -> None:
    request = llm_pb2.CountTokensRequest(texts=["", "Hello", "Hello there, how are you?"])
    counts = list(grpc_stub.CountTokens(request, timeout=60).token_counts)
    assert counts[0] == 0 < counts[1] < counts[2]


def test_correct_ends_with_what_it_cost(grpc_stub, meeting) -> None:
    request = llm_pb2.CorrectRequest(segments=meeting, language="en")
    answers = list(grpc_stub.Correct(request, timeout=60))
    assert answers[-1].WhichOneof("payload") == "usage"
    for answer in answers[:-1]:
        if answer.WhichOneof("payload") == "correction":
            assert answer.correction.original in meeting[answer.correction.segment_index].text


def test_answer_says_where_it_stands_or_that_it_is_not_there(grpc_stub, meeting) -> None:
    passages = [llm_pb2.AnswerPassage(id=str(segment.index), text=segment.text) for segment in meeting]

    def ask(question: str) -> tuple[list[llm_pb2.AnswerSentence], llm_pb2.AnswerResult]:
        request = llm_pb2.AnswerRequest(question=question, passages=passages)
        answers = list(grpc_stub.Answer(request, timeout=60))
        sentences = [answer.sentence for answer in answers if answer.HasField("sentence")]
        return sentences, answers[-1].result

    sentences, result = ask("Who will send the invitations?")
    assert result.found
    assert "Anna" in sentences[0].text
    assert sentences[0].citations[0].passage_id == "2"
    sentences, result = ask("What does the swimming pool cost?")
    assert not result.found
    assert sentences == []


def test_who_speaks_is_told_by_turns_within_the_text(grpc_stub) -> None:
    text = "Who pays the deposit? I will pay the deposit tomorrow."

    def ask(place: int) -> list[llm_pb2.AnswerResponse]:
        turns = [
            llm_pb2.SpeakerTurn(start=0, speaker="Anna"),
            llm_pb2.SpeakerTurn(start=place, speaker="Berta"),
        ]
        passage = llm_pb2.AnswerPassage(id="p", text=text, speakers=["Anna", "Berta"], turns=turns)
        request = llm_pb2.AnswerRequest(question="Who will pay the deposit?", passages=[passage])
        return list(grpc_stub.Answer(request, timeout=60))

    *_, sentence, result = ask(text.index("I will"))
    assert result.result.found
    assert "Berta" in sentence.sentence.text
    with pytest.raises(grpc.RpcError) as caught:
        ask(len(text))
    assert read_error(caught.value).reason == "INVALID_FIELDS"


def test_list_models(grpc_stub) -> None:
    models = {
        model.id: model for model in grpc_stub.ListModels(llm_pb2.ListModelsRequest(), timeout=60).models
    }
    assert models["smollm2-135m-instruct"].is_default
    assert "qwen2.5-coder-0.5b-instruct" in models


def test_answers_are_forgotten(grpc_stub) -> None:
    messages = [llm_pb2.ChatMessage(role=llm_pb2.ROLE_USER, content="Say hello.")]
    request = llm_pb2.GenerateRequest(messages=messages, owner="forgetful", max_tokens=4)

    def cached() -> bool:
        return list(grpc_stub.Generate(request, timeout=60))[-1].result.usage.cached

    cached()
    forget = llm_pb2.ForgetAnswersRequest(owner="forgetful")
    count = grpc_stub.ForgetAnswers(forget, timeout=60).answer_count
    assert not cached()
    assert grpc_stub.ForgetAnswers(forget, timeout=60).answer_count == count


def test_templates(grpc_stub) -> None:
    listed = grpc_stub.ListTemplates(llm_pb2.ListTemplatesRequest(language="ko"), timeout=60).templates
    assert [template.name for template in listed] == ["call", "free", "interview", "lecture", "meeting"]
    for template in listed:
        request = llm_pb2.CheckTemplateRequest(markdown=template.markdown)
        assert grpc_stub.CheckTemplate(request, timeout=60).title == template.title
    with pytest.raises(grpc.RpcError) as caught:
        grpc_stub.CheckTemplate(llm_pb2.CheckTemplateRequest(markdown="# A\n\n## B {x}\nC"), timeout=60)
    assert read_error(caught.value).reason == "BAD_TEMPLATE"
    assert "line 3" in read_error(caught.value).message


def test_every_rpc_was_called(called) -> None:
    service = llm_pb2.DESCRIPTOR.services_by_name["LlmService"]
    assert called.methods == {method.name for method in service.methods}
