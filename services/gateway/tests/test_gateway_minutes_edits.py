"""What people change in minutes."""

from __future__ import annotations

import pytest
from recordroute_gateway.library.minutes_edits import (
    RemoveLine,
    RewriteLine,
    SetOverview,
    TickLine,
    apply_edits,
)
from recordroute_gateway.library.records import Evidence, Minutes, MinutesField, MinutesItem, MinutesSection
from recordroute_runtime.errors import InvalidInput


def item(text: str) -> MinutesItem:
    evidence = Evidence(0, 1.0, 2.0, "S1", f"well, {text}")
    return MinutesItem(text, (evidence,), (MinutesField("owner", "Anna"),))


MINUTES = Minutes(
    "en",
    "They talk.",
    "model",
    (
        MinutesSection("decisions", (item("Ship it."), item("Wait.")), "Decisions"),
        MinutesSection("risks", (item("It may rain."),), "Risks"),
    ),
)


def test_a_line_keeps_its_evidence_and_fields_when_it_is_rewritten() -> None:
    after = apply_edits(MINUTES, [RewriteLine(0, 1, "  Wait until\n May. ")])
    line = after.sections[0].items[1]
    assert (line.text, line.edited) == ("Wait until May.", True)
    assert (line.evidence, line.fields) == (item("Wait.").evidence, item("Wait.").fields)
    assert after.sections[0].items[0] == MINUTES.sections[0].items[0]


def test_edits_name_lines_by_the_places_before_all_of_them() -> None:
    edits = [RemoveLine(0, 0), RewriteLine(0, 1, "Stay."), RemoveLine(1, 0), SetOverview(" Short. ")]
    after = apply_edits(MINUTES, edits)
    assert [[line.text for line in section.items] for section in after.sections] == [["Stay."]]
    assert (after.overview, after.overview_edited) == ("Short.", True)


def test_a_tick_is_no_edit_of_the_words() -> None:
    done = apply_edits(MINUTES, [TickLine(1, 0, True)])
    assert (done.sections[1].items[0].done, done.sections[1].items[0].edited) == (True, False)
    assert apply_edits(done, [TickLine(1, 0, False)]) == MINUTES


def test_the_same_words_change_nothing() -> None:
    assert apply_edits(MINUTES, [RewriteLine(0, 0, "Ship it."), SetOverview("They talk.")]) == MINUTES


@pytest.mark.parametrize(
    ("edits", "position"),
    [
        ([RemoveLine(2, 0)], "0"),
        ([TickLine(0, 0, True), RemoveLine(0, 2)], "1"),
        ([RemoveLine(0, 0), RewriteLine(0, 0, "Gone.")], "1"),
        ([RewriteLine(0, 0, " \n ")], "0"),
    ],
)
def test_a_bad_edit_is_told_with_its_place(edits: list[object], position: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        apply_edits(MINUTES, edits)  # type: ignore[arg-type]
    assert (caught.value.reason, caught.value.metadata["edit"]) == ("BAD_EDIT", position)
