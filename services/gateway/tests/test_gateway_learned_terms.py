"""What corrections teach, and what they don't."""

from __future__ import annotations

import pytest
from recordroute_gateway.library.learned_terms import LearnedTerm, learned_terms
from recordroute_gateway.library.records import Segment, Transcript
from recordroute_gateway.library.transcript_edits import ReplaceText, apply_edits


def taught(text: str, heard: str, written: str) -> list[LearnedTerm]:
    """What a person teaches who replaces `heard` in a text."""
    transcript = Transcript("en", 1.0, 9.0, "m", (Segment(0, 0.0, 9.0, text),))
    start = text.index(heard)
    edited = apply_edits(transcript, [ReplaceText(0, start, start + len(heard), written)])
    return list(learned_terms(edited.corrections))


@pytest.mark.parametrize(
    ("text", "heard", "written", "term"),
    [
        ("We use comfy you eye every day.", "comfy you eye", "ComfyUI", ("ComfyUI", "comfy you eye")),
        ("Please ask jon smyth, he knows.", "jon smyth,", "John Smith,", ("John Smith", "jon smyth")),
        (
            "The cluster runs cuban eddies today.",
            "cuban eddies",
            "Kubernetes",
            ("Kubernetes", "cuban eddies"),
        ),
        ("She takes met forming twice daily.", "met forming", "metformin", ("metformin", "met forming")),
        ("It is Mingi's turn.", "Mingi's", "Minji's", ("Minji", "Mingi")),
        ("Mingi said hello to everybody here.", "Mingi", "Minji", ("Minji", "Mingi")),
        ("we moved to postgres sequel", "postgres sequel", "PostgreSQL", ("PostgreSQL", "postgres sequel")),
        ("Have a look at comfyui there.", "comfyui", "ComfyUI", ("ComfyUI", "comfyui")),
        ("어제 민지는 회의에 왔다", "민지는", "민서는", ("민서", "민지")),
        ("우리는 큐드란을 씁니다", "큐드란을", "큐드란트를", ("큐드란트", "큐드란")),
        ("Comfy", "Comfy", "ComfyUI", ("ComfyUI", "Comfy")),
    ],
)
def test_names_and_terms_are_learned(text: str, heard: str, written: str, term: tuple[str, str]) -> None:
    assert taught(text, heard, written) == [LearnedTerm(*term)]


@pytest.mark.parametrize(
    ("text", "heard", "written"),
    [
        # Rewriting, in part or as a whole.
        ("It was good in the end.", "good", "excellent"),
        ("He bought a car there.", "car", "vehicle"),
        ("so um we had like a big thing", "so um we had like a big thing", "We had a large event yesterday"),
        ("one two three four five six", "one two three four five", "eins zwo drei vier funf"),
        # Numbers.
        ("It costs fifteen euros.", "fifteen", "fifty"),
        ("It costs 15 euros.", "15", "50"),
        ("Version GPT 3 is out.", "GPT 3", "GPT 4"),
        ("예산은 삼백만 원입니다", "삼백만", "사백만"),
        # Common words, verb forms, case and signs.
        ("Their going home now.", "Their", "There"),
        ("and then we left", "and", "And"),
        ("we left then", "then", "then,"),
        ("회의를 시작했습니다", "시작했습니다", "시작합니다"),
        # Nothing was heard, or nothing is left.
        ("we left", "we", "we all"),
        ("we all left", " all", ""),
        ("it is a x thing", "x", "y"),
    ],
)
def test_everything_else_is_not(text: str, heard: str, written: str) -> None:
    assert taught(text, heard, written) == []
