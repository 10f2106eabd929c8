"""Correcting transcripts, vocabulary, templates and answers: what is sent, what is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from recordroute.gateway.v1 import (
    library_pb2,
    search_pb2,
    template_pb2,
    template_pb2_grpc,
    vocabulary_pb2,
    vocabulary_pb2_grpc,
    workflow_pb2,
)
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.render import moment
from recordroute_runtime.errors import InvalidInput, Outdated


@pytest.fixture
def talk(library) -> str:
    return library.add().id


def only(library, kind: type) -> Any:
    (request,) = library.of_type(kind)
    return request


def test_edit_shows_the_numbers(cli, talk: str) -> None:
    ran = cli("edit", talk)
    assert ran.out.splitlines() == [
        "    0      0:00  S1 (김민지): [red]Good morning[/red].",
        "    1      1:00  S2: 두 번째 문장입니다.",
        "    2      2:00  The end :smile:.",
    ]
    assert json.loads(cli("edit", talk, "--json").out)["etag"] == "e1"


def test_edit_replaces_and_names(cli, library, talk: str) -> None:
    ran = cli(
        "edit",
        talk[:6],
        "--replace",
        "morning",
        "evening",
        "--whole-words",
        "--speaker",
        "S2=Anna = A",
        "--no-learn",
    )
    assert (ran.code, ran.out, ran.err) == (ExitCode.OK, "revision 2: 1 word\n", "")
    request = only(library, library_pb2.EditTranscriptRequest)
    assert (request.recording_id, request.etag, request.skip_vocabulary) == (talk, "e1", True)
    naming, replacing = request.edits
    assert (naming.rename_speaker.label, naming.rename_speaker.name) == ("S2", "Anna = A")
    assert replacing.find_and_replace == library_pb2.FindAndReplace(
        find="morning", replacement="evening", whole_words=True
    )
    assert json.loads(cli("edit", talk, "--speaker", "S1=", "--json").out)["revision"]["revision"] == 2


def test_edits_are_told_from_the_back_to_the_front(cli, library, talk: str) -> None:
    ran = cli(
        "edit", talk, "--text", "0=New", "--split", "2:3", "--assign", "0, 1-2=S3", "--replace", "a", ""
    )
    assert ran.err == "'a' stands nowhere\n"
    edits = only(library, library_pb2.EditTranscriptRequest).edits
    assert [edit.WhichOneof("edit") for edit in edits] == [
        "assign_speaker",
        "split_segment",
        "replace_text",
        "find_and_replace",
    ]
    assert list(edits[0].assign_speaker.segment_indices) == [0, 1, 2]
    assert (edits[1].split_segment.segment_index, edits[1].split_segment.position) == (2, 3)
    assert edits[2].replace_text == library_pb2.ReplaceText(
        segment_index=0, start=0, end=len("[red]Good morning[/red]."), text="New"
    )
    cli("edit", talk, "--merge", "0-2")
    merge = library.of_type(library_pb2.EditTranscriptRequest)[-1].edits[0].merge_segments
    assert (merge.first_segment_index, merge.last_segment_index) == (0, 2)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--speaker", "S1"), "--speaker: 'S1' is not like S1=Anna"),
        (("--text", "x=y"), "'x' is not a number"),
        (("--text", "9=y"), "there is no segment 9"),
        (("--split", "3"), "--split: '3' is not like 12:34"),
        (("--merge", "3"), "--merge: '3' is not like 3-5"),
        (("--assign", "5-3=S1"), "'5-3' is not a number"),
        (("--match-case",), "--replace takes what to find"),
        (("--merge", "0-2", "--split", "1:4"), "segment 1 can be changed in one way only"),
    ],
)
def test_edits_that_can_t_be_meant(cli, library, talk: str, options: tuple[str, ...], said: str) -> None:
    ran = cli("edit", talk, *options)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert said in ran.err
    assert library.of_type(library_pb2.EditTranscriptRequest) == []


def test_refused_edit_is_told(cli, library, talk: str, monkeypatch: pytest.MonkeyPatch) -> None:
    record = library.record

    def refuse(request: Any) -> None:
        record(request)
        if isinstance(request, library_pb2.EditTranscriptRequest):
            raise Outdated("ETAG_MISMATCH", "the transcript has changed meanwhile")

    monkeypatch.setattr(library, "record", refuse)
    ran = cli("edit", talk, "--speaker", "S1=Anna", "--json")
    assert ran.code == ExitCode.FAILED
    assert json.loads(ran.out)["error"]["reason"] == "ETAG_MISMATCH"


@pytest.mark.parametrize("command", [("edit", "--speaker", "S1=Anna"), ("undo",)])
def test_transcripts_are_changed_only_as_they_were_seen(
    cli, library, talk: str, command: tuple[str, ...]
) -> None:
    library.revisions = [revision(2), revision(1)]
    newest = {"edit": "e1", "undo": "e2"}[command[0]]
    ran = cli(command[0], talk, *command[1:], "--etag", "e0", "--json")
    assert ran.code == ExitCode.FAILED
    assert json.loads(ran.out)["error"] == {
        "message": "the transcript has changed since the etag was e0: look again (ETAG_MISMATCH)",
        "status": "ABORTED",
        "reason": "ETAG_MISMATCH",
    }
    changes = (library_pb2.EditTranscriptRequest, library_pb2.RevertTranscriptRequest)
    assert not any(isinstance(request, changes) for request in library.requests)
    assert cli(command[0], talk, *command[1:], "--etag", newest).code == ExitCode.OK
    (made,) = [request for request in library.requests if isinstance(request, changes)]
    assert made.etag == newest


def revision(number: int, reverted_to: int | None = None) -> library_pb2.TranscriptRevision:
    made = library_pb2.TranscriptRevision(
        revision=number,
        author="" if number == 1 else "anna",
        summary=f"change [{number}]",
        etag=f"e{number}",
        reverted_to=reverted_to,
    )
    made.created_at.FromJsonString("2026-01-31T10:00:00Z")
    return made


def test_history(cli, library, talk: str) -> None:
    library.revisions = [revision(3), revision(2), revision(1)]
    first, _, last = cli("history", talk).out.splitlines()
    assert first.startswith("   3  2026-01-31 ")
    assert first.endswith("  anna  change [3]")
    assert last.endswith("  -  change [1]")
    rows = json.loads(cli("history", talk, "--json").out)["revisions"]
    assert [row["revision"] for row in rows] == [3, 2, 1]


@pytest.mark.parametrize(
    ("revisions", "options", "wanted"),
    [
        ([3, 2, 1], (), 2),
        ([(4, 2), 3, 2, 1], (), 1),
        ([(5, 4), (4, 3), 3, 2, 1], (), 2),
        ([3, 2, 1], ("--to", "1"), 1),
        ([(5, 1), 4, 3, 2, 1], ("--to", "4"), 4),
    ],
)
def test_undo(cli, library, talk: str, revisions: list[Any], options: tuple[str, ...], wanted: int) -> None:
    library.revisions = [revision(*(each if isinstance(each, tuple) else (each,))) for each in revisions]
    ran = cli("undo", talk, *options)
    assert ran.out == f"revision 9: back to revision {wanted}\n"
    request = only(library, library_pb2.RevertTranscriptRequest)
    assert (request.revision, request.etag) == (wanted, library.revisions[0].etag)


def test_nothing_to_undo(cli, library, talk: str) -> None:
    library.revisions = [revision(2, 1), revision(1)]
    ran = cli("undo", talk, "--json")
    assert (ran.code, library.of_type(library_pb2.RevertTranscriptRequest)) == (ExitCode.FAILED, [])
    assert "there is nothing to undo" in json.loads(ran.out)["error"]["message"]


class Terms(vocabulary_pb2_grpc.VocabularyServiceServicer):
    def __init__(self, library) -> None:
        self.library = library
        self.terms: dict[str, vocabulary_pb2.VocabularyTerm] = {}

    async def ListTerms(self, request, context):
        self.library.record(request)
        names = sorted(self.terms)
        first = int(request.page_token or 0)
        return vocabulary_pb2.ListTermsResponse(
            terms=[self.terms[name] for name in names[first : first + 2]],
            next_page_token=str(first + 2) if first + 2 < len(names) else "",
        )

    async def AddTerms(self, request, context):
        self.library.record(request)
        for text in request.texts:
            self.terms[text] = vocabulary_pb2.VocabularyTerm(text=text)
        return vocabulary_pb2.AddTermsResponse(terms=[self.terms[text] for text in request.texts])

    async def RemoveTerms(self, request, context):
        self.library.record(request)
        for text in request.texts:
            self.terms.pop(text, None)
        return vocabulary_pb2.RemoveTermsResponse()


class Templates(template_pb2_grpc.TemplateServiceServicer):
    def __init__(self, library) -> None:
        self.library = library
        self.own: dict[str, template_pb2.Template] = {}

    async def ListTemplates(self, request, context):
        self.library.record(request)
        title = "회의" if request.language == "ko" else "Meeting"
        built_in = template_pb2.Template(
            name="meeting", title=title, markdown=f"# {title}\n\n## News\nWhat is new.\n", built_in=True
        )
        return template_pb2.ListTemplatesResponse(templates=[built_in, *self.own.values()])

    async def PutTemplate(self, request, context):
        self.library.record(request)
        if not request.markdown.startswith("# "):
            raise InvalidInput("BAD_TEMPLATE", "line 1: expected '# Name'")
        template = template_pb2.Template(name=request.name, title="Weekly", markdown=request.markdown)
        self.own[request.name] = template
        return template_pb2.PutTemplateResponse(template=template)

    async def DeleteTemplate(self, request, context):
        self.library.record(request)
        self.own.pop(request.name, None)
        return template_pb2.DeleteTemplateResponse()


@pytest.fixture
def terms(gateway) -> Iterator[Terms]:
    made = Terms(gateway.library)
    gateway.stop()
    gateway.library.more.append(
        lambda server: vocabulary_pb2_grpc.add_VocabularyServiceServicer_to_server(made, server)
    )
    gateway.start()
    return made


@pytest.fixture
def templates(gateway) -> Iterator[Templates]:
    made = Templates(gateway.library)
    gateway.stop()
    gateway.library.more.append(
        lambda server: template_pb2_grpc.add_TemplateServiceServicer_to_server(made, server)
    )
    gateway.start()
    return made


def test_vocabulary(cli, terms: Terms) -> None:
    assert "vocabulary add" in cli("vocabulary", "list").err
    assert cli("vocabulary", "add", "Qdrant", "[ComfyUI]", "김민지").out == "Qdrant\n[ComfyUI]\n김민지\n"
    terms.terms["Qdrant"].correction_count = 2
    terms.terms["Qdrant"].heard_as.extend(["quadrant", "Q drant"])
    assert cli("vocabulary", "list").out.splitlines() == [
        "Qdrant  (corrected 2×; heard as “quadrant”, “Q drant”)",
        "[ComfyUI]",
        "김민지",
    ]
    rows = json.loads(cli("vocabulary", "list", "--json").out)["terms"]
    assert (rows[0]["text"], rows[0]["correction_count"]) == ("Qdrant", 2)
    assert cli("vocabulary", "rm", "Qdrant", "gone").code == ExitCode.OK
    assert json.loads(cli("vocabulary", "rm", "김민지", "--json").out) == {"removed": ["김민지"]}
    assert list(terms.terms) == ["[ComfyUI]"]


def test_templates(cli, templates: Templates, tmp_path) -> None:
    file = tmp_path / "weekly.md"
    file.write_bytes("\ufeff# Weekly\n\n## News\nWhat is new.".encode())
    assert cli("templates", "put", "weekly", file).out == "weekly  Weekly\n"
    assert templates.own["weekly"].markdown.startswith("# Weekly")
    assert cli("templates", "list", "--language", "ko").out.splitlines() == [
        "meeting           built-in  회의",
        "weekly            own       Weekly",
    ]
    assert cli("templates", "show", "weekly").out == "# Weekly\n\n## News\nWhat is new.\n"
    assert json.loads(cli("templates", "show", "meeting", "--json").out)["built_in"] is True
    assert cli("templates", "show", "none").code == ExitCode.NOT_FOUND
    file.write_text("nothing")
    refused = cli("templates", "put", "weekly", file)
    assert (refused.code, refused.err) == (
        ExitCode.FAILED,
        "error: line 1: expected '# Name' (BAD_TEMPLATE)\n",
    )
    file.write_bytes(b"\xff\xfe\x00")
    assert cli("templates", "put", "weekly", file).code == ExitCode.USAGE
    assert cli("templates", "put", "weekly", tmp_path / "gone.md").code == ExitCode.FAILED
    assert json.loads(cli("templates", "rm", "weekly", "--json").out) == {"deleted": ["weekly"]}
    assert templates.own == {}


def test_ask_numbers_the_places(cli, library, talk: str) -> None:
    ran = cli(
        "ask", "who", "pays?", "--in", talk[:5], "--tag", "a", "--tag", "b", "--folder", "work", "--speaker",
        "Anna", "--language", "en", "--answer-language", "ko", "--llm-model", "small", "--from", "2026-01-31",
    )  # fmt: skip
    assert ran.err == ""
    recorded = moment(library.recordings[talk].recorded_at)
    assert ran.out.splitlines() == [
        "Anna pays. [1][2]",
        "It costs [400]. [2]",
        "",
        f"[1] {talk[:8]}  About talk.mp3  page 7  “Anna pays for the [venue].”",
        f"[2] {talk[:8]}  About talk.mp3  1:02  {recorded}  “Anna pays.”",
    ]
    request = only(library, search_pb2.AskRequest)
    assert (request.question, request.language, request.model) == ("who pays?", "ko", "small")
    assert (list(request.recording_ids), list(request.tags), request.folder) == ([talk], ["a", "b"], "work")
    assert (list(request.speakers), list(request.languages)) == (["Anna"], ["en"])
    assert request.HasField("recorded_from")


def test_ask_for_programs(cli, talk: str) -> None:
    answer = json.loads(cli("ask", "who pays?", "--json").out)
    assert (answer["found"], answer["standalone_question"], answer["model"]) == (
        True,
        "Who pays for it?",
        "m",
    )
    assert [sentence["text"] for sentence in answer["sentences"]] == ["Anna pays.", "It costs [400]."]
    assert answer["sentences"][0]["citations"][1] == {
        "source_index": 0,
        "range": {"start": 21, "end": 31},
        "start": 62.5,
    }
    assert answer["sources"][1]["page"] == 7


def test_ask_says_that_there_is_no_answer(cli, talk: str) -> None:
    ran = cli("ask", "what nobody knows")
    assert (ran.code, ran.out) == (ExitCode.OK, "")
    assert ran.err == "the recordings do not hold the answer\n"
    assert cli("ask", " ").code == ExitCode.USAGE


def test_similar(cli, library, talk: str) -> None:
    other = library.add("other [1].mp3")
    line = cli("similar", talk, "--limit", "5").out
    assert line.startswith(f"{other.id[:8]}  0.75  ")
    assert line.endswith("About other [1].mp3\n")
    assert only(library, search_pb2.FindSimilarRequest).limit == 5
    assert json.loads(cli("similar", talk, "--json").out)["recordings"][0]["similarity"] == 0.75


def test_search_conditions(cli, library, talk: str) -> None:
    cli("search", "venue", "--by", "words", "--tag", "a", "--in", talk, "--speaker", "Anna")
    request = only(library, search_pb2.SearchRequest)
    assert request.mode == search_pb2.SearchRequest(mode="SEARCH_MODE_LEXICAL").mode
    assert (list(request.tags), list(request.recording_ids)) == (["a"], [talk])


def test_options_of_the_work(cli, library, talk: str) -> None:
    cli(
        "redo", talk, "--from", "summarise", "--template", "weekly", "--minutes-language", "ko",
        "--no-vocabulary", "--detach",
    )  # fmt: skip
    options = only(library, workflow_pb2.StartWorkflowRequest).options
    assert (options.template, options.output_language, options.skip_vocabulary) == ("weekly", "ko", True)
    assert options.first_stage == workflow_pb2.WORKFLOW_STAGE_SUMMARISE


def test_minutes_that_are_out_of_date_say_so(cli, library, talk: str) -> None:
    assert cli("show", talk, "--minutes").err == ""
    library.minutes_are_stale = True
    assert f"recordroute redo {talk[:8]} --from summarise" in cli("show", talk, "--minutes").err
