"""What comes out of the library: artifacts and parts of them, waveforms, exports."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import grpc.aio
import numpy as np
import pytest
from docx import Document
from docx.oxml.ns import qn
from jsonschema import Draft202012Validator
from recordroute.gateway.v1 import library_pb2
from recordroute_gateway.library.artifact_json import minutes_bytes, read_transcript, transcript_bytes
from recordroute_gateway.library.export import render
from recordroute_gateway.library.intake import Upload
from recordroute_gateway.library.readers.process import run_reader
from recordroute_gateway.library.readers.waveform import MOST_STRETCHES, Peaks
from recordroute_gateway.library.records import (
    ArtifactKind,
    Evidence,
    Minutes,
    MinutesItem,
    MinutesSection,
    Recording,
    RecordingKind,
    Segment,
    Speaker,
    Transcript,
)
from recordroute_gateway.library.uploads import receive
from recordroute_gateway.library.waveform import Waveform
from recordroute_gateway.tables import waveforms
from recordroute_runtime.errors import PreconditionFailed
from recordroute_runtime.remote import read_error
from sqlalchemy import delete, func, select

SCHEMA = Path(__file__).parents[3] / "docs/export.schema.json"
RATE = 8000
MOMENT = datetime(2026, 5, 3, 9, 30, tzinfo=UTC)


def sound(*parts: tuple[float, float], container: str = "wav") -> bytes:
    """Makes a file of tones, each with its seconds and loudness (0 to 1)."""
    samples = np.concatenate(
        [np.sin(np.arange(int(seconds * RATE)) * 440 * 2 * np.pi / RATE) * loud for seconds, loud in parts]
    )
    buffer = io.BytesIO()
    buffer.name = f"made.{container}"
    with av.open(buffer, "w", format=container) as output:
        stream = output.add_stream("pcm_s16le" if container == "wav" else "flac", rate=RATE, layout="mono")
        for start in range(0, len(samples), 4096):
            data = (samples[start : start + 4096] * 32767).astype(np.int16)[None, :]
            frame = av.AudioFrame.from_ndarray(data, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return buffer.getvalue()


async def added(files: Any, content: bytes, name: str = "talk.wav") -> Recording:
    async def chunks() -> Any:
        yield content

    upload = Upload("local", str(uuid.uuid4()), name, allow_duplicate=True)
    recording: Recording = await receive(upload, chunks(), files.intake)
    return recording


TRANSCRIPT = Transcript(
    language="ko",
    language_probability=1.0,
    duration=5.0,
    model="m",
    segments=(
        Segment(0, 0.0, 2.0, "안녕하세요 & <모두>", "S1"),
        Segment(1, 2.0, 5.0, "Hello \x0b all.", "S2"),
    ),
    speakers=(Speaker("S1", 2.0, "김민지"), Speaker("S2", 3.0)),
)
MINUTES = Minutes(
    language="ko",
    overview="인사를 나눴다.",
    model="l",
    sections=(
        MinutesSection(
            "decisions", (MinutesItem("인사한다", (Evidence(0, 0.0, 2.0, "S1", "안녕"),)),), "결정 사항"
        ),
    ),
)


async def with_texts(files: Any) -> Recording:
    recording = await added(files, sound((1.0, 0.5)))
    for kind, data in (
        (ArtifactKind.TRANSCRIPT, transcript_bytes(TRANSCRIPT)),
        (ArtifactKind.MINUTES, minutes_bytes(MINUTES)),
    ):
        await files.library.put_artifact(recording.id, kind, data, model="m", workflow_id="")
    found: Recording = await files.library.get("local", recording.id)
    return found


async def download(files: Any, recording_id: str, kind: str = "MEDIA", **values: int) -> tuple[Any, bytes]:
    request = library_pb2.DownloadArtifactRequest(
        recording_id=recording_id, kind=f"ARTIFACT_KIND_{kind}", **values
    )
    info, data = None, b""
    async for answer in files.library_stub.DownloadArtifact(request, timeout=60):
        if answer.HasField("info"):
            assert info is None
            info = answer.info
        data += answer.chunk
    return info, data


async def reason(call: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, read_error(caught.value).reason


# Artifacts


@pytest.mark.parametrize("blobs_url", ["", "memory:///"])
async def test_artifacts_come_whole_and_in_parts(files_gateway: Callable[..., Any], blobs_url: str) -> None:
    content = sound((200.0, 0.5))
    assert len(content) > 3 << 20
    async with files_gateway(blobs_url=blobs_url) as files:
        recording = await added(files, content, "회의 📼.wav")
        info, data = await download(files, recording.id)
        assert data == content
        assert (info.file_name, info.media_type, info.size_bytes) == (
            "회의 📼.wav",
            "audio/wav",
            len(content),
        )
        assert info.sha256 == hashlib.sha256(content).hexdigest()
        for offset, length in ((0, 1), (7, 100), (1 << 20, 2 << 20), (len(content) - 5, 100), (5, 0)):
            _, part = await download(files, recording.id, offset=offset, length=length)
            assert part == content[offset : offset + length]
        assert (await download(files, recording.id, offset=12))[1] == content[12:]
        whole, nothing = await download(files, recording.id, offset=len(content))
        assert (whole.size_bytes, nothing) == (len(content), b"")
        behind = await reason(download(files, recording.id, offset=len(content) + 1))
        assert behind == ("OUT_OF_RANGE", "RANGE")
        missing = await reason(download(files, recording.id, "MINUTES"))
        assert missing == ("NOT_FOUND", "ARTIFACT_NOT_READY")
        nobody = await reason(download(files, str(uuid.uuid4())))
        assert nobody == ("NOT_FOUND", "RECORDING_NOT_FOUND")
        index = await reason(download(files, recording.id, "INDEX"))
        assert index == ("INVALID_ARGUMENT", "INVALID_FIELDS")


async def test_texts_are_artifacts_too(files: Any) -> None:
    recording = await with_texts(files)
    info, data = await download(files, recording.id, "TRANSCRIPT")
    assert (info.file_name, info.media_type) == ("talk.transcript.json", "application/json")
    assert read_transcript(data) == TRANSCRIPT


# Waveforms


async def waveform(files: Any, recording_id: str, peak_count: int = 0) -> Any:
    request = library_pb2.GetWaveformRequest(recording_id=recording_id, peak_count=peak_count)
    return await files.library_stub.GetWaveform(request, timeout=60)


async def test_waveform_shows_how_loud_it_is(files: Any) -> None:
    recording = await added(files, sound((2.0, 1.0), (1.0, 0.0), (1.0, 0.25), container="flac"), "a.flac")
    whole = await waveform(files, recording.id)
    assert whole.duration.ToTimedelta().total_seconds() == pytest.approx(4.0, abs=0.01)
    # 10 ms each.
    assert len(whole.peaks) == 400
    assert min(whole.peaks[:199]) >= 250
    assert max(whole.peaks[202:298]) == 0
    assert set(whole.peaks[302:398]) <= {63, 64}
    few = await waveform(files, recording.id, 4)
    assert [round(peak / 255, 2) for peak in few.peaks] == [1.0, 1.0, 0.0, 0.25]
    assert len((await waveform(files, recording.id, 399)).peaks) == 399


async def test_waveform_is_computed_once(files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from recordroute_gateway.library import waveform as module

    runs = 0
    run_reader = module.run_reader

    async def counted(*arguments: Any, **values: Any) -> Any:
        nonlocal runs
        runs += 1
        return await run_reader(*arguments, **values)

    monkeypatch.setattr(module, "run_reader", counted)
    recording = await added(files, sound((1.0, 0.5)))
    answers = await asyncio.gather(*(waveform(files, recording.id) for _ in range(4)))
    assert len({answer.peaks for answer in answers}) == 1
    await waveform(files, recording.id, 10)
    assert runs == 1
    async with files.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(waveforms))).scalar_one() == 1


async def test_waveform_goes_on_where_the_caller_gives_up(
    files: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, go = 0, asyncio.Event()

    async def waits(*arguments: Any, **values: Any) -> Any:
        nonlocal runs
        runs += 1
        await go.wait()
        return await run_reader(*arguments, **values)

    monkeypatch.setattr("recordroute_gateway.library.waveform.run_reader", waits)
    recording = await added(files, sound((1.0, 0.5)))
    request = library_pb2.GetWaveformRequest(recording_id=recording.id)
    given_up = await reason(files.library_stub.GetWaveform(request, timeout=0.5))
    assert given_up[0] == "DEADLINE_EXCEEDED"
    go.set()
    assert (await waveform(files, recording.id)).peaks
    assert runs == 1


async def test_waveform_of_broken_sound_ends_where_it_breaks(files: Any) -> None:
    content = sound((20.0, 0.5), container="flac")
    recording = await added(files, content[: len(content) // 2] + bytes(50_000), "a.flac")
    answer = await waveform(files, recording.id)
    assert 5 < answer.duration.ToTimedelta().total_seconds() < 20
    await files.library.blobs.delete(recording.artifacts[0].sha256)
    async with files.database.write() as connection:
        await connection.execute(delete(waveforms))
    gone = await reason(waveform(files, recording.id))
    assert gone == ("FAILED_PRECONDITION", "NO_AUDIO")


async def test_waveform_is_silent_where_the_times_of_the_file_jump(tmp_path: Path) -> None:
    path = tmp_path / "gap.mka"
    tone = (np.sin(np.arange(RATE // 10) * 0.35) * 32767).astype(np.int16)[np.newaxis]
    with av.open(str(path), "w", format="matroska") as output:
        stream = output.add_stream("pcm_s16le", rate=RATE, layout="mono")
        # A second of sound, two of nothing, and a second of sound.
        for tenth in [*range(10), *range(30, 40)]:
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, tenth * RATE // 10
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    found = await run_reader("waveform", str(path), seconds=60)
    peaks = base64.b64decode(found["peaks"])
    assert found["duration_seconds"] == pytest.approx(4, abs=0.05)
    assert min(peaks[:95]) > 240
    assert max(peaks[105:295]) == 0
    assert min(peaks[305:395]) > 240


def test_peaks_stay_few_and_true() -> None:
    generator = np.random.default_rng(3)
    samples = generator.random(300_000, np.float32)
    peaks = Peaks(1)
    place = 0
    while place < len(samples):
        step = int(generator.integers(1, 5000))
        peaks.add(samples[place : place + step])
        place += step
    found = peaks.to_bytes()
    assert MOST_STRETCHES // 2 <= len(found) <= MOST_STRETCHES
    stretch = 8
    expected = [
        round(float(samples[at : at + stretch].max()) * 255) for at in range(0, len(samples), stretch)
    ]
    assert list(found) == expected
    peaks.skip(10**9)
    assert len(peaks.to_bytes()) <= MOST_STRETCHES


def test_reduced_waveforms_keep_the_peaks() -> None:
    full = Waveform(bytes([1, 9, 2, 3, 8, 4, 7]), 7.0)
    assert full.reduced(3).peaks == bytes([9, 3, 8])
    assert full.reduced(7) == full
    assert max(full.reduced(1).peaks) == 9


# Exports


async def export(files: Any, recording_id: str, kind: str) -> bytes:
    request = library_pb2.ExportRequest(recording_id=recording_id, format=f"EXPORT_FORMAT_{kind.upper()}")
    return b"".join([part.chunk async for part in files.library_stub.Export(request, timeout=60)])


async def test_docx_reads_as_written(files: Any) -> None:
    recording = await with_texts(files)
    document = Document(io.BytesIO(await export(files, recording.id, "docx")))
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[0] == "talk"
    assert [text for text in texts if text in ("회의록", "결정 사항", "화자", "녹취록")] == [
        "회의록",
        "결정 사항",
        "화자",
        "녹취록",
    ]
    assert "인사한다  (00:00:00)" in texts
    assert "00:00:00  김민지: 안녕하세요 & <모두>" in texts
    # What XML can't hold is left out.
    assert "00:00:02  S2: Hello all." in texts
    rows = [[cell.text for cell in row.cells] for row in document.tables[0].rows]
    assert rows == [["이름", "발화 시간"], ["김민지", "00:00:02"], ["S2", "00:00:03"]]
    fonts = {element.get(qn("w:eastAsia")) for element in document.styles.element.iter(qn("w:rFonts"))}
    assert fonts == {"Malgun Gothic"}
    assert document.core_properties.title == "talk"


async def test_json_follows_its_schema(files: Any) -> None:
    schema = json.loads(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    recording = await with_texts(files)
    value = json.loads(await export(files, recording.id, "json"))
    assert list(validator.iter_errors(value)) == []
    assert value["recording"]["id"] == recording.id
    # It can fail: nothing that it does not tell of, and nothing missing.
    value["transcript"]["segments"][0]["surprise"] = 1
    assert [error.validator for error in validator.iter_errors(value)] == ["additionalProperties"]
    del value["transcript"]["segments"][0]["surprise"], value["recording"]["title"]
    assert [error.validator for error in validator.iter_errors(value)] == ["required"]


def test_documents_have_pages_in_place_of_times() -> None:
    record = Recording(
        "id",
        "local",
        "Report",
        "r.pdf",
        None,
        "en",
        *([MOMENT] * 2),
        kind=RecordingKind.DOCUMENT,
        page_count=3,
    )
    transcript = replace(
        TRANSCRIPT,
        language="en",
        speakers=(),
        segments=(Segment(0, 0.0, 0.0, "Budget", page=1), Segment(1, 0.0, 0.0, "The\nend.", page=3)),
    )
    evidence = Evidence(1, 0.0, 0.0, "", "The\nend.", page=3)
    minutes = replace(
        MINUTES,
        language="en",
        sections=(MinutesSection("topics", (MinutesItem("It ends.", (evidence,)),), ""),),
    )

    def text(kind: str) -> str:
        return render(kind, record, transcript, minutes).decode()

    assert text("txt") == "[p. 1] Budget\n[p. 3] The end.\n"
    assert "3 pages" in text("md")
    assert "- It ends. (p. 3)" in text("md")
    assert "**p. 3** The end." in text("md")
    document = Document(io.BytesIO(render("docx", record, transcript, minutes)))
    assert "p. 3  The end." in [paragraph.text for paragraph in document.paragraphs]
    validator = Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert list(validator.iter_errors(json.loads(text("json")))) == []
    for kind in ("srt", "vtt"):
        with pytest.raises(PreconditionFailed) as caught:
            text(kind)
        assert caught.value.reason == "NO_TIMES"
    lines = replace(transcript, segments=(Segment(0, 0.0, 0.0, "제목", line=12),), language="ko")
    assert render("txt", record, lines, None).decode() == "[12행] 제목\n"


async def test_exports_need_a_transcript(files: Any) -> None:
    recording = await added(files, sound((1.0, 0.5)))
    assert await reason(export(files, recording.id, "docx")) == ("NOT_FOUND", "ARTIFACT_NOT_READY")
