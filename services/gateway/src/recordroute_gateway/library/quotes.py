"""When something that stands in a transcript was said."""

from __future__ import annotations

from recordroute_gateway.library.records import Transcript
from recordroute_gateway.library.word_times import words_of


def said_at(transcript: Transcript, quote: str, *, first: int, last: int) -> float | None:
    """Returns when the first word of a quote is said, in seconds; None where it does not stand in the segments `first`
    to `last` of the transcript. White space does not matter."""
    wanted = "".join(quote.split())
    if not wanted:
        return None
    text = ""
    starts: list[tuple[int, float]] = []
    for segment in transcript.segments[first : last + 1]:
        for word in words_of(segment):
            starts.append((len(text), word.start))
            text += "".join(word.text.split())
    place = text.find(wanted)
    if place < 0:
        return None
    return max((at, time) for at, time in starts if at <= place)[1]
