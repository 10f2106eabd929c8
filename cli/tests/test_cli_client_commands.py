"""The client commands against a real server: what is sent, what is shown, how it ends."""

from __future__ import annotations

import json
import os
import threading
import uuid
from pathlib import Path

import pytest
from recordroute.gateway.v1 import (
    library_pb2,
    search_pb2,
    upload_pb2,
    voice_pb2,
    webhook_pb2,
    webhook_pb2_grpc,
    workflow_pb2,
)
from recordroute.stt.v1 import stt_pb2
from recordroute_cli.exit_codes import ExitCode
from recordroute_cli.render import moment
from recordroute_runtime.errors import InvalidInput, ModelMissing, UpstreamUnavailable

STRANGE_NAMES = [
    "with space.mp3",
    "회의록 3월.wav",
    "🎙️ talk.ogg",
    "[red]brackets :smile:.flac",
    "-dash.mp3",
    "a" * 240 + ".mp3",
]


@pytest.fixture
def media(tmp_path: Path) -> Path:
    path = tmp_path / "talk.mp3"
    path.write_bytes(os.urandom(3_000_000))
    return path


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def test_add_uploads_every_byte_and_follows_the_work(cli, library, media):
    ran = cli(
        "add",
        media,
        "--language",
        "ko",
        "--no-index",
        "--model",
        "small",
        "--recorded-at",
        "2026-01-31T10:00:00Z",
    )
    assert ran.code == ExitCode.OK, ran.err
    assert library.uploads["talk.mp3"] == media.read_bytes()
    config = library.of_type(upload_pb2.UploadConfig)[0]
    assert config.size_bytes == 3_000_000
    assert config.HasField("sha256")
    assert config.recorded_at.ToJsonString() == "2026-01-31T10:00:00Z"
    start = library.of_type(workflow_pb2.StartWorkflowRequest)[0]
    assert start.options == workflow_pb2.WorkflowOptions(
        language="ko",
        stt_model="small",
        skip_index=True,
        profile=stt_pb2.PROFILE_BALANCED,
        channel_mode=stt_pb2.CHANNEL_MODE_MIXED,
    )
    assert uuid.UUID(config.request_id) != uuid.UUID(start.request_id)
    assert "About talk.mp3" in ran.out
    assert "transcribe succeeded" in ran.err


def test_work_that_is_refused_leaves_the_recording_and_says_how_to_go_on(cli, library, media, monkeypatch):
    record = library.record

    def refuse(request):
        record(request)
        if isinstance(request, workflow_pb2.StartWorkflowRequest):
            raise InvalidInput("BAD_TEMPLATE", "there is no template 'nope'")

    monkeypatch.setattr(library, "record", refuse)
    ran = cli("add", media, "--template", "nope", "--json")
    (recording,) = library.recordings.values()
    assert ran.code == ExitCode.FAILED
    assert ran.err == (
        f"error: {media}: there is no template 'nope' (BAD_TEMPLATE); the recording is added: start the work with: "
        f"recordroute redo {recording.id[:8]}\n"
    )
    error = lines(ran.out)[-1]["error"]
    assert (error["reason"], error["metadata"]) == ("BAD_TEMPLATE", {"recording_id": recording.id})


def test_redo_starts_again_with_other_options(cli, library):
    recording = library.add()
    options = ["--mixed-languages", "--profile", "accurate", "--speakers", "2", "--channels", "separate"]
    options += ["--word", "회의록", "--word", "RecordRoute", "--prompt", "Minutes.", "--audio-stream", "1"]
    ran = cli("redo", recording.id[:8], *options, "--translate")
    assert ran.code == ExitCode.OK, ran.err
    start = library.of_type(workflow_pb2.StartWorkflowRequest)[0]
    assert start.recording_id == recording.id
    assert start.options == workflow_pb2.WorkflowOptions(
        detect_language_per_segment=True,
        profile=stt_pb2.PROFILE_ACCURATE,
        speaker_count=2,
        channel_mode=stt_pb2.CHANNEL_MODE_SEPARATE,
        hotwords=["회의록", "RecordRoute"],
        initial_prompt="Minutes.",
        audio_stream=1,
        translate=True,
    )
    cli("redo", recording.id[:8], "--speakers", "off", "--detach")
    assert library.of_type(workflow_pb2.StartWorkflowRequest)[1].options.skip_speakers


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--speakers", "0"], "--speakers takes auto, off, or 1 to 32"),
        (["--speakers", "two"], "--speakers takes auto, off, or 1 to 32"),
        (["--language", "ko", "--mixed-languages"], "exclude each other"),
    ],
)
def test_options_that_make_no_sense(cli, library, media, options, message):
    ran = cli("add", media, *options)
    assert ran.code == ExitCode.USAGE
    assert message in ran.err
    assert not library.requests


def test_transcript_names_the_speakers_and_tells_what_was_taken_out(cli, library):
    recording = library.add()
    ran = cli("show", recording.id, "--transcript", "--removed")
    assert "김민지: [red]Good morning[/red]." in ran.out
    assert "S2: 두 번째 문장입니다." in ran.out
    assert "no speech: Thank you." in ran.out
    assert "the sound is a steady hum" in ran.out
    assert "Thank you." not in cli("show", recording.id, "--transcript").out
    document = json.loads(cli("show", recording.id, "--transcript", "--removed", "--json").out)
    assert document["transcript"]["removed"][0]["reason"] == "no_speech"


def test_voices_are_remembered_with_consent_only_and_forgotten(cli, library):
    recording = library.add()
    refused = cli("voices", "remember", recording.id, "S1", "김민지")
    assert refused.code == ExitCode.USAGE
    assert "--consent" in refused.err
    assert not library.requests
    assert cli("voices", "remember", recording.id[:8], "S1", "김민지", "--consent").code == ExitCode.OK
    request = library.of_type(voice_pb2.RememberVoiceRequest)[0]
    assert (request.recording_id, request.speaker, request.consent) == (recording.id, "S1", True)
    assert "김민지" in cli("voices", "list").out
    kept = library.voices[0].id
    # Nothing is forgotten by accident: not by a part of a name, nor by the beginning of an id that may be anybody's.
    for vague in ("김", "", kept[0], kept[:3]):
        ran = cli("voices", "forget", vague)
        assert (ran.code, ran.err) == (ExitCode.NOT_FOUND, f"error: no voice is called {vague!r}\n")
    assert [voice.id for voice in library.voices] == [kept]
    assert "is forgotten" in cli("voices", "forget", "김민지").out
    assert json.loads(cli("voices", "list", "--json").out) == {"voices": []}


def test_add_as_json_lines(cli, media, library):
    ran = cli("add", media, "--json")
    documents = lines(ran.out)
    assert {document["type"] for document in documents} == {"upload", "event", "result"}
    assert [document["sequence"] for document in documents if document["type"] == "event"] == list(
        range(1, 15)
    )
    uploads = [document for document in documents if document["type"] == "upload"]
    assert uploads[-1]["sent_bytes"] == uploads[-1]["size_bytes"] == 3_000_000
    assert uploads[-1]["state"] == "succeeded"
    result = documents[-1]
    assert result["workflow"]["state"] == "succeeded"
    assert result["recording"]["duration"] == 62.5
    assert result["recording"]["artifacts"][0]["kind"] == "media"
    assert ran.err == ""


def test_add_detached_starts_and_leaves(cli, media, library):
    ran = cli("add", media, "--detach")
    assert ran.code == ExitCode.OK
    workflow = next(iter(library.workflows))
    assert f"recordroute watch {workflow[:8]}" in ran.out
    assert not library.of_type(workflow_pb2.WatchWorkflowRequest)


@pytest.mark.parametrize(("state", "code"), [(4, ExitCode.FAILED), (5, ExitCode.CANCELLED)])
def test_the_exit_code_says_how_the_work_ended(cli, media, library, state, code):
    library.end_state = state
    ran = cli("add", media)
    assert ran.code == code
    assert "recordroute retry" in ran.err
    assert ("the file has no audio (MEDIA_WITHOUT_AUDIO)" in ran.err) == (state == 4)


def test_bad_files_are_told_and_the_others_go_on(cli, library, media, tmp_path):
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "text.mp3").write_bytes(b"not media at all")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    ran = cli(
        *(
            "add",
            tmp_path / "missing.mp3",
            tmp_path / "empty.mp3",
            tmp_path / "text.mp3",
            tmp_path / "folder",
        ),
        *(tmp_path / "pipe.wav", tmp_path / "*.ogg", tmp_path / ("x" * 300 + ".mp3"), media),
    )
    assert ran.code == ExitCode.FAILED
    assert list(library.uploads) == ["talk.mp3"]
    errors = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    reasons = [
        ("missing.mp3", "no such file or directory"),
        ("empty.mp3", "the file is empty"),
        ("folder", "no audio or video files in this folder"),
        ("pipe.wav", "not a regular file"),
        ("*.ogg", "nothing matches this pattern"),
        ("xxx.mp3", "file name too long"),
        ("text.mp3", "this is no audio or video file (MEDIA_UNREADABLE)"),
    ]
    assert len(errors) == len(reasons)
    for error, (name, reason) in zip(errors, reasons, strict=True):
        assert error.endswith(f"{name}: {reason}")


def test_a_file_that_can_not_be_read(cli, library, media, monkeypatch):
    real_open = Path.open

    def refuse(path, *arguments, **options):
        if path == media:
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", refuse)
    ran = cli("add", media)
    assert (ran.code, ran.err) == (ExitCode.FAILED, f"error: {media}: permission denied\n")


def test_a_disk_that_fails_in_the_middle_of_an_upload(cli, library, media, monkeypatch):
    real_open = Path.open

    class Broken:
        def __init__(self, file):
            self.file = file
            self.reads = 0

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def read(self, size):
            self.reads += 1
            if self.reads == 2:
                raise OSError(5, "Input/output error")
            return self.file.read(size)

    monkeypatch.setattr("recordroute_cli.client.HASH_FIRST_BYTES", 0)
    monkeypatch.setattr(Path, "open", lambda path, *arguments: Broken(real_open(path, *arguments)))
    ran = cli("add", media)
    assert ran.code == ExitCode.FAILED
    assert f"error: {media}: input/output error" in ran.err
    assert "Traceback" not in ran.err
    assert not library.uploads


def test_folders_and_patterns(cli, library, tmp_path):
    for name in (
        "a/one.mp3",
        "a/deep/er/two.OPUS",
        "a/.hidden/three.mp3",
        "a/notes.txt",
        "b/four.wav",
        "b/five.wav",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    ran = cli("add", tmp_path / "a", tmp_path / "**/f*.wav", tmp_path / "b/four.wav")
    assert ran.code == ExitCode.OK, ran.err
    assert sorted(library.uploads) == ["five.wav", "four.wav", "one.mp3", "two.OPUS"]
    assert len(library.of_type(upload_pb2.UploadConfig)) == 4


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_strange_file_names(cli, library, tmp_path, monkeypatch, name):
    (tmp_path / "inner").mkdir()
    (tmp_path / name).write_bytes(b"audio")
    monkeypatch.chdir(tmp_path / "inner")
    ran = cli("add", f"../{name}")
    assert ran.code == ExitCode.OK, ran.err
    assert list(library.uploads) == [name]
    assert name in ran.out
    assert name in cli("list").out


def test_a_name_that_is_not_text(cli, library, tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mp3")
    Path(path).write_bytes(b"audio")
    ran = cli("add", path)
    assert ran.code == ExitCode.OK, ran.err
    assert list(library.uploads) == ["�.mp3"]


def test_control_characters_do_not_reach_the_terminal(cli, library):
    library.add("\x1b[31mred\n.mp3")
    ran = cli("list")
    assert "\x1b[31m" not in ran.out
    assert "�[31mred .mp3" in ran.out


@pytest.mark.parametrize("hold_after", [1, 6, 13])
def test_watch_takes_up_the_stream_after_the_last_event(cli, gateway, library, hold_after):
    workflow = library.begin(library.add())
    library.hold_after = hold_after

    def restart() -> None:
        assert library.held.wait(60)
        gateway.stop()
        library.hold_after = None
        gateway.start()

    restarting = threading.Thread(target=restart)
    restarting.start()
    ran = cli("watch", workflow.id[:8], "--json")
    restarting.join()
    assert ran.code == ExitCode.OK, ran.err
    documents = lines(ran.out)
    assert [document["sequence"] for document in documents if document["type"] == "event"] == list(
        range(1, 15)
    )
    assert [document["type"] for document in documents].count("lost") == 1
    asked = [request.after_sequence for request in library.of_type(workflow_pb2.WatchWorkflowRequest)]
    assert asked == [0, hold_after]


def test_watch_from_a_given_event_and_of_an_ended_workflow(cli, library):
    workflow = library.begin(library.add())
    documents = lines(cli("watch", workflow.id, "--after", "12", "--json").out)
    assert [document.get("sequence") for document in documents] == [13, 14, None]
    again = cli("watch", workflow.id, "--after", "14", "--json")
    assert [document["type"] for document in lines(again.out)] == ["result"]
    assert again.code == ExitCode.OK


def test_retry_shows_only_what_comes_after_it(cli, library):
    library.end_state = 4
    workflow = library.begin(library.add())
    library.end(workflow, 4)
    ran = cli("retry", workflow.id[:6], "--json")
    assert ran.code == ExitCode.OK, ran.err
    documents = lines(ran.out)
    assert [document.get("sequence") for document in documents] == [15, 16, 17, None]
    assert documents[-1]["workflow"]["error"] is None


def test_retry_of_what_has_not_failed(cli, library):
    workflow = library.begin(library.add())
    library.end(workflow, 3)
    ran = cli("retry", workflow.id)
    assert (ran.code, ran.err) == (
        ExitCode.FAILED,
        "error: the workflow has not failed (WORKFLOW_NOT_RETRYABLE)\n",
    )


def test_cancel(cli, library):
    workflow = library.begin(library.add())
    ran = cli("cancel", workflow.id[:8])
    assert (ran.code, ran.out) == (ExitCode.OK, f"{workflow.id[:8]} cancelled\n")
    assert cli("watch", workflow.id, "--json").code == ExitCode.OK
    done = library.begin(library.add())
    library.end(done, 3)
    assert "had already ended: succeeded" in cli("cancel", done.id).out


def test_list_joins_pages_and_stops_at_the_limit(cli, library):
    recordings = [library.add(f"{number}.mp3") for number in range(5)]
    workflow = library.begin(recordings[0])
    found = json.loads(cli("list", "--json").out)["recordings"]
    assert [recording["id"] for recording in found] == [recording.id for recording in recordings]
    assert (found[0]["latest_workflow_id"], found[0]["latest_workflow_state"]) == (workflow.id, "running")
    assert found[1]["latest_workflow_state"] is None
    assert len(json.loads(cli("list", "--json", "--limit", "3").out)["recordings"]) == 3
    table = cli("list").out
    assert all(recording.id[:8] in table for recording in recordings)
    assert "running" in table


def test_list_of_an_empty_library(cli, library):
    ran = cli("list")
    assert (ran.code, ran.out) == (ExitCode.OK, "")
    assert "recordroute add" in ran.err


def test_show(cli, library):
    recording = library.add()
    library.begin(recording)
    whole = cli("show", recording.id[:8]).out
    assert recording.id in whole
    assert "Go [ahead].  1:00" in whole
    assert "    0:00  김민지: [red]Good morning[/red]." in whole
    assert "    2:00  The end :smile:." in whole
    transcript = cli("show", recording.id, "--transcript").out
    assert transcript.splitlines()[1] == "    1:00  S2: 두 번째 문장입니다."
    assert len(transcript.splitlines()) == 3
    assert cli("show", recording.id, "--minutes").out.splitlines()[0] == "They met."
    document = json.loads(cli("show", recording.id, "--json").out)
    assert set(document) == {"recording", "workflow", "minutes", "transcript"}
    assert [segment["start"] for segment in document["transcript"]["segments"]] == [0.0, 60.0, 120.0]
    assert document["minutes"]["sections"][0]["kind"] == "decisions"


def test_search(cli, library):
    recording = library.add()
    ran = cli(
        "search", "who", "pays", "--from", "2026-01-31", "--to", "2026-02-01T12:00:00+00:00", "--limit", "3"
    )
    assert recording.id[:8] in ran.out
    assert "0:12" in ran.out
    assert moment(recording.recorded_at) in ran.out
    assert "about [money]" in ran.out
    request = library.of_type(search_pb2.SearchRequest)[0]
    assert (request.query, request.limit) == ("who pays", 3)
    assert request.recorded_before.ToJsonString() == "2026-02-01T12:00:00Z"
    hit = json.loads(cli("search", "money", "--json").out)["hits"][0]
    assert (hit["snippet_start"], hit["score"]) == (12.5, 0.75)
    assert hit["recorded_at"].startswith("2026-03-01T09:00:00")
    assert ran.err == ""
    by_meaning = "none of these places has a word of the query: they come nearest in meaning\n"
    assert cli("search", "costs").err == by_meaning
    # Found by words that are too common to be shown.
    assert cli("search", "costs", "--by", "words").err == ""
    assert cli("search", "costs", "--json").err == ""
    nothing = cli("search", "nothing")
    assert (nothing.code, nothing.out, nothing.err) == (ExitCode.OK, "", "nothing found\n")


def test_search_to_a_day_takes_the_whole_day(cli, library, monkeypatch):
    library.add()
    cli("search", "money", "--from", "2026-02-01", "--to", "2026-02-01")
    request = library.of_type(search_pb2.SearchRequest)[0]
    assert request.recorded_before.seconds - request.recorded_from.seconds == 24 * 3600


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("search", "x", "--from", "soon"), "error: --from: 'soon' is not a date such as 2026-01-31"),
        (("search", " "), "error: the query is empty"),
        (("search", "x", "--limit", "1000"), "error: Invalid value for '--limit'"),
        (("show", "abc"), "error: 'abc' is not the id of a recording"),
        (("show", "x" * 40), f"error: {'x' * 40} is not the id of a recording"),
        (("frobnicate",), "error: No such command 'frobnicate'"),
        (("add",), "error: Missing argument 'FILE'"),
        (("add", "x", "--tempo", "2"), "error: No such option: --tempo"),
        (("export", "abcd", "--format", "doc"), "error: Invalid value for '--format'"),
    ],
)
def test_wrong_use_is_one_line_and_code_2(cli, library, arguments, complaint):
    ran = cli(*arguments)
    assert ran.code == ExitCode.USAGE
    assert ran.err.startswith(complaint)
    assert ran.err.count("\n") == 1
    assert ran.out == ""


def test_rm(cli, library):
    first, second, third = (library.add(f"{number}.mp3") for number in range(3))
    ran = cli("rm", first.id[:8], second.id)
    assert ran.code == ExitCode.OK
    assert "is in the bin until 2026-03-01" in ran.out
    assert first.HasField("deleted_at")
    assert second.HasField("deleted_at")
    assert json.loads(cli("list", "--json").out)["recordings"][0]["id"] == third.id
    ran = cli("rm", first.id[:8], "--purge")
    assert ran.out == f"{first.id[:8]} deleted for good\n"
    assert list(library.recordings) == [second.id, third.id]
    assert json.loads(cli("rm", third.id, "--purge", "--json").out) == {"deleted": [third.id]}


def test_rm_deletes_nothing_if_one_of_them_is_missing(cli, library):
    recording = library.add()
    ran = cli("rm", recording.id, str(uuid.uuid4()))
    assert ran.code == ExitCode.NOT_FOUND
    assert list(library.recordings) == [recording.id]


def test_export(cli, library, tmp_path):
    recording = library.add()
    assert cli("export", recording.id[:8], "--format", "vtt").out == "format 4: 회의"
    target = tmp_path / "회의 [1].md"
    target.write_text("old")
    ran = cli("export", recording.id, "-f", "md", "-o", target)
    assert ran.code == ExitCode.OK
    assert target.read_text() == "format 2: 회의"
    assert (
        json.loads(cli("export", recording.id, "--format", "json", "--json").out)["content"]
        == "format 5: 회의"
    )
    assert [request.format for request in library.of_type(library_pb2.ExportRequest)] == [4, 2, 5]


def test_export_leaves_no_half_written_file(cli, library, tmp_path):
    recording = library.add()
    ran = cli("export", recording.id, "-o", tmp_path / "missing" / "x.txt")
    assert ran.code == ExitCode.FAILED
    assert ran.err.endswith("no such file or directory\n")
    ran = cli("export", str(uuid.uuid4()), "-o", tmp_path / "x.txt")
    assert ran.code == ExitCode.NOT_FOUND
    assert list(tmp_path.iterdir()) == []


def test_prefixes_of_ids(cli, library):
    library.add(identifier="aaaaaaaa-0000-4000-8000-000000000001")
    library.add(identifier="aaaaaaaa-0000-4000-8000-000000000002")
    ambiguous = cli("show", "AAAA")
    assert ambiguous.code == ExitCode.USAGE
    assert ambiguous.err == "error: 2 recordings have ids that begin with aaaa: give more of it\n"
    assert cli("show", "bbbb").code == ExitCode.NOT_FOUND
    assert cli("show", "aaaaaaaa-0000-4000-8000-000000000002", "--minutes").code == ExitCode.OK


def test_not_found_with_json_on_both_streams(cli, library):
    ran = cli("show", str(uuid.uuid4()), "--json")
    assert ran.code == ExitCode.NOT_FOUND
    error = json.loads(ran.out)["error"]
    assert (error["status"], error["reason"]) == ("NOT_FOUND", "RECORDING_NOT_FOUND")
    assert len(error["trace_id"]) == 32
    assert ran.err == "error: there is no such recording (RECORDING_NOT_FOUND)\n"


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (
            ModelMissing("small"),
            "error: model small is not installed; install it with: recordroute models pull small (MODEL_MISSING)\n",
        ),
        (UpstreamUnavailable("vector"), "error: the vector service does not answer (UPSTREAM_UNAVAILABLE)\n"),
    ],
)
def test_domain_errors_are_told_in_their_words(cli, library, error, complaint):
    library.error = error
    ran = cli("search", "x")
    assert (ran.code, ran.err) == (ExitCode.FAILED, complaint)


def test_internal_errors_name_their_trace(cli, library):
    library.error = ZeroDivisionError("secret")
    ran = cli("list", "--json")
    assert ran.code == ExitCode.FAILED
    assert json.loads(ran.out)["error"]["trace_id"] in ran.err
    assert "secret" not in ran.err


def test_a_field_that_breaks_the_contract_is_wrong_use(cli, library, media):
    ran = cli("add", media, "--language", "english")
    assert ran.code == ExitCode.USAGE
    assert "options.language" in ran.err


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "abcd"), ("watch", str(uuid.uuid4())), ("search", "x")]
)
def test_no_server(cli, gateway, arguments):
    gateway.stop()
    ran = cli(*arguments)
    assert ran.code == ExitCode.UNREACHABLE
    assert ran.err == f"error: no RecordRoute server at {gateway.address}; start one with: recordroute up\n"


def test_no_server_for_an_upload(cli, gateway, media):
    gateway.stop()
    ran = cli("add", media, media.parent)
    assert ran.code == ExitCode.UNREACHABLE
    assert ran.err.count("no RecordRoute server") == 1


def test_every_command_has_help_with_an_example(cli):
    for command in (
        "demo",
        "up",
        "add",
        "watch",
        "list",
        "show",
        "search",
        "cancel",
        "retry",
        "rm",
        "export",
        "doctor",
    ):
        ran = cli(command, "--help")
        assert ran.code == ExitCode.OK
        assert f"Example: recordroute {command}" in ran.out
        assert "--json" in ran.out


class Webhooks(webhook_pb2_grpc.WebhookServiceServicer):
    """Two webhooks whose ids begin alike."""

    def __init__(self) -> None:
        self.ids = ["1f3a9c0e-0000-4000-8000-000000000001", "1f3a77ab-0000-4000-8000-000000000002"]

    async def ListWebhooks(self, request, context):
        return webhook_pb2.ListWebhooksResponse(
            webhooks=[webhook_pb2.Webhook(id=each, url="https://example.org/") for each in self.ids]
        )

    async def DeleteWebhook(self, request, context):
        self.ids.remove(request.webhook_id)
        return webhook_pb2.DeleteWebhookResponse()


def test_only_the_webhook_that_is_meant_is_removed(cli, gateway, library):
    webhooks = Webhooks()
    gateway.stop()
    library.more = [lambda server: webhook_pb2_grpc.add_WebhookServiceServicer_to_server(webhooks, server)]
    gateway.start()
    for vague in ("", "1", "1f3"):
        assert cli("webhooks", "rm", vague).code == ExitCode.USAGE
    ran = cli("webhooks", "rm", "1f3a")
    assert (ran.code, ran.err) == (
        ExitCode.USAGE,
        "error: 2 webhooks have ids that begin with 1f3a: give more of it\n",
    )
    assert cli("webhooks", "rm", "77ab").code == ExitCode.NOT_FOUND
    assert len(webhooks.ids) == 2
    assert cli("webhooks", "rm", "1F3A77").out == "1f3a77ab is gone\n"
    assert webhooks.ids == ["1f3a9c0e-0000-4000-8000-000000000001"]
