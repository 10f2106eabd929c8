"""Minutes to and from the contract's messages."""

from __future__ import annotations

from recordroute.common.v1 import minutes_pb2
from recordroute.llm.v1 import llm_pb2
from recordroute_runtime.wire import to_duration

from recordroute_llm.minutes import Delta, Event, Item, Minutes, Progress, Result, Section
from recordroute_llm.summary import Style
from recordroute_llm.terms import terms
from recordroute_llm.transcript import Segment, clean, sentences_of

# Documents may come as segments of a page; quotes of those would make an answer too long for a message.
QUOTE_CHARACTERS = 1000
PREFIX = "MINUTES_SECTION_KIND_"


def style_of(request: llm_pb2.SummarizeRequest) -> Style:
    """Returns how minutes are wanted."""
    return Style(request.template, request.template_markdown, request.output_language)


def summarize_response(event: Event, model: str) -> llm_pb2.SummarizeResponse:
    """Returns the message of an event; `model` is the id of the one that works."""
    match event:
        case Progress(completed, total):
            return llm_pb2.SummarizeResponse(
                progress=llm_pb2.SummarizeProgress(completed_steps=completed, total_steps=total)
            )
        case Delta(chunk, text):
            return llm_pb2.SummarizeResponse(delta=llm_pb2.SummarizeDelta(chunk=chunk, text=text))
        case Result(minutes, usage, seconds):
            return llm_pb2.SummarizeResponse(
                result=llm_pb2.SummarizeResult(
                    minutes=_minutes(minutes, model),
                    stats=llm_pb2.SummarizeStats(
                        prompt_tokens=usage.prompt_tokens,
                        completion_tokens=usage.completion_tokens,
                        processing_time=to_duration(seconds),
                        cost_micros=usage.cost_micros,
                    ),
                )
            )


def _minutes(minutes: Minutes, model: str) -> minutes_pb2.Minutes:
    return minutes_pb2.Minutes(
        language=minutes.language,
        overview=minutes.overview,
        sections=map(_section, minutes.sections),
        model=model,
        unsupported=minutes.unsupported,
        template=minutes.template,
    )


def _section(section: Section) -> minutes_pb2.MinutesSection:
    return minutes_pb2.MinutesSection(
        kind=PREFIX + section.kind.name,
        title=section.title,
        items=map(_item, section.items),
    )


def _quote(line: str, text: str) -> str:
    """Returns a segment's text; of one that is longer than QUOTE_CHARACTERS, the part around the sentence that shares
    most with the line."""
    if len(text) <= QUOTE_CHARACTERS:
        return text
    wanted = terms(line)
    whole = clean(text)
    pieces = [sentence.text for sentence in sentences_of([Segment(0, 0.0, 0.0, whole)])]
    best = max(pieces, key=lambda piece: len(wanted & terms(piece)))
    start = max(0, whole.find(best) - (QUOTE_CHARACTERS - len(best)) // 2)
    return whole[start : start + QUOTE_CHARACTERS].strip()


def _item(item: Item) -> minutes_pb2.MinutesItem:
    return minutes_pb2.MinutesItem(
        text=item.text,
        evidence=[
            minutes_pb2.Evidence(
                segment_index=segment.index,
                start=to_duration(segment.start),
                end=to_duration(segment.end),
                speaker=segment.speaker,
                quote=_quote(item.text, segment.text),
            )
            for segment in item.evidence
        ],
        fields=[minutes_pb2.MinutesField(name=name, value=value) for name, value in item.fields],
    )
