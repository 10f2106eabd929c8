"""Transcripts to and from the contract's segments."""

from __future__ import annotations

from typing import Any

from recordroute.common.v1 import transcript_pb2
from recordroute_runtime.wire import to_duration, to_seconds

from recordroute_gateway.library.records import Segment, Transcript, Word


def segment_message(segment: Segment, *, words: bool) -> transcript_pb2.Segment:
    """Returns the contract's form of a segment, with its words or without."""
    message = transcript_pb2.Segment(
        index=segment.index,
        start=to_duration(segment.start),
        end=to_duration(segment.end),
        text=segment.text,
        speaker=segment.speaker,
        average_log_probability=segment.average_log_probability,
        no_speech_probability=segment.no_speech_probability,
        language=segment.language,
        channel=segment.channel,
        page=segment.page,
        line=segment.line,
    )
    if words:
        message.words.extend(
            transcript_pb2.Word(
                text=word.text,
                start=to_duration(word.start),
                end=to_duration(word.end),
                probability=word.probability,
            )
            for word in segment.words
        )
    return message


def segment_messages(transcript: Transcript) -> list[transcript_pb2.Segment]:
    """Returns the contract's form of a transcript without words, with names: what the services behind read."""
    return [segment_message(segment, words=False) for segment in transcript.with_names().segments]


def segment_record(message: transcript_pb2.Segment) -> Segment:
    """Returns our form of a segment."""

    def known(field: str) -> Any:
        return getattr(message, field) if message.HasField(field) else None

    return Segment(
        index=message.index,
        start=to_seconds(message.start),
        end=to_seconds(message.end),
        text=message.text,
        speaker=message.speaker,
        words=tuple(
            Word(word.text, to_seconds(word.start), to_seconds(word.end), word.probability)
            for word in message.words
        ),
        average_log_probability=known("average_log_probability"),
        no_speech_probability=known("no_speech_probability"),
        language=message.language,
        channel=known("channel"),
        page=known("page"),
        line=known("line"),
    )
