"""Questions and answers to and from the contract's messages."""

from __future__ import annotations

from recordroute.llm.v1 import llm_pb2

from recordroute_llm.answers import AnswerResult, AnswerSentence
from recordroute_llm.places import Passage, Turn
from recordroute_llm.questions import Exchange
from recordroute_llm.servicer_generate import usage_message


def passages_of(request: llm_pb2.AnswerRequest) -> list[Passage]:
    """Returns the passages of a request."""
    return [_passage(passage) for passage in request.passages]


def _passage(message: llm_pb2.AnswerPassage) -> Passage:
    turns = sorted((Turn(turn.start, turn.speaker) for turn in message.turns), key=lambda turn: turn.start)
    speakers = dict.fromkeys((*message.speakers, *(turn.speaker for turn in turns if turn.speaker)))
    return Passage(message.id, message.text, message.title, tuple(speakers), message.date, tuple(turns))


def history_of(request: llm_pb2.AnswerRequest) -> list[Exchange]:
    """Returns the conversation of a request."""
    return [Exchange(turn.question, turn.answer) for turn in request.history]


def answer_response(part: str | AnswerSentence | AnswerResult) -> llm_pb2.AnswerResponse:
    """Returns the message for the next part of an answer."""
    match part:
        case str():
            return llm_pb2.AnswerResponse(delta=part)
        case AnswerSentence():
            return llm_pb2.AnswerResponse(
                sentence=llm_pb2.AnswerSentence(
                    text=part.text,
                    citations=[
                        llm_pb2.Citation(passage_id=cited.passage_id, start=cited.start, end=cited.end)
                        for cited in part.citations
                    ],
                )
            )
        case AnswerResult():
            return llm_pb2.AnswerResponse(
                result=llm_pb2.AnswerResult(
                    found=part.found,
                    standalone_question=part.question,
                    unsupported=part.unsupported,
                    model=part.model,
                    usage=usage_message(part.usage, cached=part.cached),
                )
            )
