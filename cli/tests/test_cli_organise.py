"""The commands that keep order: filters, labels, titles, the bin, and the stream of what happens."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from recordroute.gateway.v1 import library_pb2, watch_pb2, watch_pb2_grpc, workflow_pb2
from recordroute_cli.exit_codes import ExitCode
from recordroute_runtime.errors import InvalidInput, UpstreamUnavailable
from recordroute_runtime.wire import to_duration


def test_list_sends_every_filter(cli, library):
    library.add()
    ran = cli(
        "list",
        *("--text", "예산 회의"),
        *("--tag", "a", "--tag", "b"),
        *("--folder", "work"),
        *("--from", "2026-01-31T10:00:00Z"),
        *("--to", "2026-02-01T10:00:00Z"),
        *("--language", "ko"),
        *("--speaker", "김민지", "--speaker", "Anna"),
        *("--state", "failed", "--state", "running"),
        *("--kind", "document"),
        *("--sort", "length", "--reverse"),
        *("--limit", "7"),
    )
    assert ran.code == ExitCode.OK, ran.err
    (request,) = library.of_type(library_pb2.ListRecordingsRequest)
    expected = library_pb2.ListRecordingsRequest(
        page_size=7,
        text="예산 회의",
        tags=["a", "b"],
        folder="work",
        languages=["ko"],
        speakers=["김민지", "Anna"],
        workflow_states=[workflow_pb2.WORKFLOW_STATE_FAILED, workflow_pb2.WORKFLOW_STATE_RUNNING],
        kinds=[library_pb2.RECORDING_KIND_DOCUMENT],
        order_by=library_pb2.RECORDING_ORDER_DURATION,
        ascending=True,
    )
    expected.recorded_from.FromJsonString("2026-01-31T10:00:00Z")
    expected.recorded_before.FromJsonString("2026-02-01T10:00:00Z")
    assert request == expected


@pytest.mark.parametrize(
    ("arguments", "order", "ascending"),
    [((), 1, False), (("--sort", "title"), 3, True), (("--sort", "title", "--reverse"), 3, False)],
)
def test_titles_are_sorted_from_a_to_z(cli, library, arguments, order, ascending):
    cli("list", *arguments)
    (request,) = library.of_type(library_pb2.ListRecordingsRequest)
    assert (request.order_by, request.ascending) == (order, ascending)


def test_a_filter_that_nothing_passes_is_no_empty_library(cli, library):
    assert cli("list", "--tag", "x").err == "nothing in the library is like that\n"
    assert cli("list", "--bin").err == "the bin is empty\n"
    assert cli("bin").err == "the bin is empty\n"


def test_tags_and_folders_of_several(cli, library):
    first, second = library.add(), library.add()
    ran = cli("tag", first.id[:8], second.id, first.id, "--add", "예산", "-a", "[b]", "--remove", "c")
    assert ran.code == ExitCode.OK, ran.err
    assert ran.out.count("[b], 예산") == 2
    (request,) = library.of_type(library_pb2.BulkEditRequest)
    assert list(request.recording_ids) == [first.id, second.id]
    assert list(request.labels.remove_tags) == ["c"]
    assert not request.labels.HasField("folder")
    document = json.loads(cli("move", first.id, "--to", "/work/2026/", "--json").out)
    assert document["recordings"][0]["folder"] == "work/2026"
    cli("move", first.id, "--to", "")
    assert library.of_type(library_pb2.BulkEditRequest)[-1].labels.HasField("folder")
    assert first.folder == ""


def test_what_goes_wrong_with_one_is_told_and_the_others_are_done(cli, library):
    recording, nobody = library.add(), str(uuid.uuid4())
    ran = cli("tag", recording.id, nobody, "--add", "x", "--json")
    assert ran.code == ExitCode.FAILED
    assert ran.err == f"error: {nobody}: there is no such recording (RECORDING_NOT_FOUND)\n"
    document = json.loads(ran.out)
    assert document["recordings"][0]["tags"] == ["x"]
    assert document["failed"][0]["error"]["reason"] == "RECORDING_NOT_FOUND"


def test_rename_and_give_back(cli, library):
    recording = library.add()
    assert "새 제목" in cli("rename", recording.id[:8], "새 제목").out
    (request,) = library.of_type(library_pb2.UpdateRecordingRequest)
    assert (request.recording.title, list(request.update_mask.paths)) == ("새 제목", ["title"])
    assert cli("rename", recording.id, "--automatic").code == ExitCode.OK
    assert library.of_type(library_pb2.UpdateRecordingRequest)[-1].recording.title == ""
    for arguments in (("rename", recording.id), ("rename", recording.id, "x", "--automatic")):
        assert cli(*arguments).code == ExitCode.USAGE


def test_redate(cli, library):
    recording = library.add()
    assert cli("redate", recording.id, "2025-05-05T05:05:05Z").code == ExitCode.OK
    assert recording.recorded_at.ToJsonString() == "2025-05-05T05:05:05Z"
    assert cli("redate", recording.id, "soon").code == ExitCode.USAGE


def test_bookmarks_are_set_relabelled_and_removed(cli, library):
    recording = library.add()
    recording.bookmarks.add(position=to_duration(5), label="kept")
    assert "  1:02:03  [decision]" in cli("bookmark", recording.id, "1:02:03", "[decision]").out
    cli("bookmark", recording.id, "3723", "better")
    assert [mark.label for mark in recording.bookmarks] == ["kept", "better"]
    assert "  1:02:03  better" in cli("show", recording.id).out
    cli("bookmark", recording.id, "0:05", "--remove")
    assert [mark.label for mark in recording.bookmarks] == ["better"]
    assert cli("bookmark", recording.id, "0:05", "--remove").code == ExitCode.NOT_FOUND
    for wrong in ("x", "1:2:3:4", "1:-2"):
        assert cli("bookmark", recording.id, wrong).code == ExitCode.USAGE


def test_the_bin_is_listed_and_given_back(cli, library):
    recording = library.add()
    cli("rm", recording.id[:8])
    assert recording.id[:8] in cli("bin").out
    assert json.loads(cli("bin", "--json").out)["recordings"][0]["id"] == recording.id
    assert "In the bin" in cli("show", recording.id[:8]).out
    assert cli("undelete", recording.id[:8]).code == ExitCode.OK
    assert not recording.HasField("deleted_at")


def test_labels_in_use(cli, library):
    ran = cli("labels")
    assert ran.out.splitlines() == [
        "Tags:",
        "    12  예산",
        "Folders:",
        "     3  work/[2026]",
        "Speakers:",
        "     2  김민지",
        "In the bin: 1",
    ]
    assert json.loads(cli("labels", "--json").out)["tags"] == [{"value": "예산", "recording_count": 12}]


class Watch(watch_pb2_grpc.WatchServiceServicer):
    """Sends what is told, a connection after the other, then an error that ends the command."""

    def __init__(self, connections: list[list[watch_pb2.WatchLibraryResponse]]) -> None:
        self.connections = connections
        self.requests: list[watch_pb2.WatchLibraryRequest] = []

    async def WatchLibrary(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        if not self.connections:
            raise InvalidInput("ENOUGH", "that is all")
        for response in self.connections.pop(0):
            yield response
        await asyncio.sleep(0)
        raise UpstreamUnavailable("gateway")


@pytest.fixture
def watch(gateway) -> Watch:
    recording = library_pb2.Recording(id="aaaaaaaa-1", title="[Talk]\n")
    workflow = workflow_pb2.Workflow(
        id="w",
        recording_id="aaaaaaaa-1",
        state=2,
        stages=[workflow_pb2.StageStatus(stage=1, state=2, percent=41.6)],
    )
    Response = watch_pb2.WatchLibraryResponse  # noqa: N806 - a class
    servicer = Watch(
        [
            [Response(sequence=5), Response(sequence=6, recording=recording)],
            [
                Response(sequence=6),
                Response(sequence=8, workflow=workflow),
                Response(sequence=9, reset=watch_pb2.LibraryReset()),
                Response(
                    sequence=10, recording_removed=watch_pb2.RecordingRemoved(recording_id="aaaaaaaa-1")
                ),
            ],
        ]
    )
    gateway.library.more.append(
        lambda server: watch_pb2_grpc.add_WatchServiceServicer_to_server(servicer, server)
    )
    gateway.stop()
    gateway.start()
    return servicer


def test_the_library_is_watched_across_connections(cli, watch):
    ran = cli("watch")
    assert ran.code == ExitCode.FAILED
    assert ran.err.count("trying again") == 2
    assert ran.out.splitlines() == [
        "aaaaaaaa  [Talk] ",
        "aaaaaaaa  transcribe 42 %",
        "changes were missed; what is shown from here on is complete again",
        "aaaaaaaa  gone",
    ]
    assert [
        request.after_sequence if request.HasField("after_sequence") else None for request in watch.requests
    ] == [None, 6, 10]


def test_the_library_is_watched_as_json(cli, watch):
    ran = cli("watch", "--after", "3", "--json")
    documents = [json.loads(line) for line in ran.out.splitlines()]
    assert [document.get("type") for document in documents] == [
        *("start", "recording", "lost", "start", "workflow", "reset", "recording_removed", "lost"),
        None,
    ]
    assert documents[1]["recording"]["title"] == "[Talk]\n"
    assert documents[4]["sequence"] == 8
    assert watch.requests[0].after_sequence == 3


def test_every_command_has_help_with_an_example(cli):
    for command in ("undelete", "bin", "rename", "redate", "tag", "move", "bookmark", "labels"):
        ran = cli(command, "--help")
        assert ran.code == ExitCode.OK
        assert f"Example: recordroute {command}" in ran.out
        assert "--json" in ran.out
