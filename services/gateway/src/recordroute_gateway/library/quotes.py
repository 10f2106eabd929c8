"""When something that stands in a transcript was said, and by whom."""

from __future__ import annotations

from dataclasses import dataclass

from recordroute_gateway.library.records import Transcript
from recordroute_gateway.library.word_times import words_of


@dataclass(frozen=True)
class Turn:
    """Who speaks from a code point of a text on; empty where that is not known."""

    start: int
    speaker: str


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


def turns_of(transcript: Transcript, passage: str, *, first: int, last: int) -> list[Turn]:
    """Returns who speaks where in a passage that was cut out of the segments `first` to `last` of the transcript, by
    the names that are known now; none where its text has changed since. White space does not matter."""
    said, speakers = "", list[tuple[int, str]]()
    for segment in transcript.with_names().segments[first : last + 1]:
        speakers.append((len(said), segment.speaker))
        said += "".join(segment.text.split())
    places = [place for place, character in enumerate(passage) if not character.isspace()]
    begin = said.find("".join(passage[place] for place in places))
    if begin < 0 or not places:
        return []
    turns: list[Turn] = []
    for at, speaker in speakers:
        if at - begin >= len(places):
            break
        turn = Turn(places[max(0, at - begin)], speaker)
        if turns and turns[-1].start == turn.start:
            turns.pop()
        if not turns or turns[-1].speaker != speaker:
            turns.append(turn)
    return turns
