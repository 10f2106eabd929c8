"""Documents: what is read of them, what they are refused for, and how they come through the stages."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import signal
import subprocess
import sys
import uuid
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc.aio
import pytest
from recordroute.common.v1 import minutes_pb2
from recordroute.gateway.v1 import library_pb2, upload_pb2
from recordroute.llm.v1 import llm_pb2, llm_pb2_grpc
from recordroute.vector.v1 import embedding_pb2, embedding_pb2_grpc
from recordroute_gateway.clients.llm import LlmClient, Style
from recordroute_gateway.clients.vector import VectorClient
from recordroute_gateway.library.documents import read_document, with_places
from recordroute_gateway.library.probe import probe_file
from recordroute_gateway.library.readers.documents import LONGEST_BLOCK, paragraphs, split_block
from recordroute_gateway.library.readers.encodings import decode_text
from recordroute_gateway.library.readers.languages import detect_language
from recordroute_gateway.library.readers.process import ReaderStopped, run_reader
from recordroute_gateway.library.records import Evidence, RecordingKind
from recordroute_runtime.errors import InvalidInput
from recordroute_runtime.remote import read_error
from recordroute_runtime.wire import to_datetime

KOREAN = "안녕하세요. 오늘 회의에서는 내년 예산을 확정하고 다음 주까지 보고서를 제출하기로 했습니다."


class Pdf:
    """Writes small PDF files by hand."""

    def __init__(self) -> None:
        self._objects: list[bytes] = []

    def add(self, content: bytes) -> int:
        self._objects.append(content)
        return len(self._objects)

    def stream(self, data: bytes, extra: str = "") -> int:
        packed = zlib.compress(data)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode {extra}>>\nstream\n".encode()
        return self.add(head + packed + b"\nendstream")

    def to_bytes(self, root: int, info: int | None = None, trailer: str = "") -> bytes:
        out, places = io.BytesIO(), []
        out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        for number, content in enumerate(self._objects, 1):
            places.append(out.tell())
            out.write(f"{number} 0 obj\n".encode() + content + b"\nendobj\n")
        start = out.tell()
        out.write(f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode())
        out.writelines(f"{place:010d} 00000 n \n".encode() for place in places)
        about = f"/Info {info} 0 R " if info else ""
        out.write(
            f"trailer\n<< /Size {len(places) + 1} /Root {root} 0 R {about}{trailer}>>\n"
            f"startxref\n{start}\n%%EOF\n".encode()
        )
        return out.getvalue()


def pdf(pages: list[list[str]], *, created: str = "", trailer: str = "") -> bytes:
    """Makes a PDF with lines of text on each page, in a font that names its characters by Unicode."""
    made = Pdf()
    characters = sorted({character for page in pages for line in page for character in line})
    codes = {character: number for number, character in enumerate(characters, 1)}
    unicode_map = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        + "".join(
            f"1 beginbfchar <{code:04x}> <{character.encode('utf-16-be').hex()}> endbfchar\n"
            for character, code in codes.items()
        )
        + "endcmap end end\n"
    )
    to_unicode = made.stream(unicode_map.encode())
    described = made.add(
        b"<< /Type /FontDescriptor /FontName /Any /Flags 4 /FontBBox [0 0 1000 1000] /ItalicAngle 0 /Ascent 800 "
        b"/Descent -200 /CapHeight 700 /StemV 80 >>"
    )
    descendant = made.add(
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Any /CIDSystemInfo << /Registry (Adobe) /Ordering "
        b"(Identity) /Supplement 0 >> /DW 600 /FontDescriptor %d 0 R >>" % described
    )
    font = made.add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Any /Encoding /Identity-H /DescendantFonts [%d 0 R] "
        b"/ToUnicode %d 0 R >>" % (descendant, to_unicode)
    )
    tree = len(made._objects) + 2 * len(pages) + 1
    kids = []
    for page in pages:
        text = "BT /F 12 Tf 14 TL 40 800 Td\n"
        for line in page:
            text += f"<{''.join(f'{codes[character]:04x}' for character in line)}> Tj T*\n"
        content = made.stream((text + "ET\n").encode())
        kids.append(
            made.add(
                b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                b"/Resources << /Font << /F %d 0 R >> >> >>" % (tree, content, font)
            )
        )
    listed = " ".join(f"{kid} 0 R" for kid in kids).encode()
    assert made.add(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), listed)) == tree
    root = made.add(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)
    info = made.add(f"<< /CreationDate ({created}) >>".encode()) if created else None
    return made.to_bytes(root, info, trailer)


def encrypted_pdf() -> bytes:
    """A PDF that wants a password: the standard security handler, revision 2 (ISO 32000-1, 7.6.3)."""
    padding = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")

    def rc4(key: bytes, data: bytes) -> bytes:
        state, j = list(range(256)), 0
        for i in range(256):
            j = (j + state[i] + key[i % len(key)]) % 256
            state[i], state[j] = state[j], state[i]
        out, i, j = bytearray(), 0, 0
        for byte in data:
            i = (i + 1) % 256
            j = (j + state[i]) % 256
            state[i], state[j] = state[j], state[i]
            out.append(byte ^ state[(state[i] + state[j]) % 256])
        return bytes(out)

    def padded(password: bytes) -> bytes:
        return (password + padding)[:32]

    identity = b"0123456789abcdef"
    owner = rc4(hashlib.md5(padded(b"owner")).digest()[:5], padded(b"secret"))
    permissions = (-4).to_bytes(4, "little", signed=True)
    key = hashlib.md5(padded(b"secret") + owner + permissions + identity).digest()[:5]
    user = rc4(key, padding)
    encrypt = f"/Encrypt << /Filter /Standard /V 1 /R 2 /O <{owner.hex()}> /U <{user.hex()}> /P -4 >> "
    return pdf([["Secret"]], trailer=f"{encrypt}/ID [<{identity.hex()}> <{identity.hex()}>] ")


REPORT = [
    [
        "1. Budget",
        "The council decided on Monday that the new library will be built beside the old",
        "station, and that the city pays two thirds of it.",
        "Anna sends the invitations by Friday.",
    ],
    ["2. 다음 회의", KOREAN],
    [],
    ["The end."],
]


def written(folder: Path, content: bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


async def test_pdf_is_read_page_by_page(tmp_path: Path) -> None:
    content = pdf(REPORT, created="D:20240203040506+09'00'")
    path = written(tmp_path, content, "report.pdf")
    probe = await probe_file(path, "report.pdf")
    assert (probe.kind, probe.media_type, probe.page_count) == (
        RecordingKind.DOCUMENT,
        "application/pdf",
        4,
    )
    assert probe.recorded_at is not None
    assert probe.recorded_at.isoformat() == "2024-02-02T19:05:06+00:00"
    transcript = await read_document(path, probe.media_type, None)
    assert [segment.index for segment in transcript.segments] == list(range(len(transcript.segments)))
    assert {segment.page for segment in transcript.segments} == {1, 2, 4}
    assert all(segment.line is None for segment in transcript.segments)
    texts = [(segment.page, " ".join(segment.text.split())) for segment in transcript.segments]
    assert (1, "1. Budget") in texts
    assert any(
        page == 1 and text.startswith("The council decided") and text.endswith("two thirds of it.")
        for page, text in texts
    )
    assert (2, KOREAN) in texts
    assert texts[-1] == (4, "The end.")
    assert (transcript.duration, transcript.is_document) == (0.0, True)


async def test_pdf_is_known_by_its_bytes(tmp_path: Path) -> None:
    path = written(tmp_path, b"\n\n" + pdf(REPORT), "report.mp3")
    assert (await probe_file(path, "report.mp3")).media_type == "application/pdf"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("scan.pdf", pdf([[], []]), "DOCUMENT_WITHOUT_TEXT"),
        ("locked.pdf", encrypted_pdf(), "DOCUMENT_ENCRYPTED"),
        ("cut.pdf", pdf(REPORT)[:300], "MEDIA_UNREADABLE"),
        ("only_a_head.pdf", b"%PDF-1.7\n", "MEDIA_UNREADABLE"),
        ("noise.pdf", b"%PDF-1.4\n" + bytes(range(256)) * 400, "MEDIA_UNREADABLE"),
        ("empty.txt", b" \n\n\t\n", "DOCUMENT_WITHOUT_TEXT"),
        ("picture.md", bytes(range(256)) * 100, "MEDIA_UNREADABLE"),
        ("long.txt", b"All work and no play makes Jack a dull boy.\n" * 90_000, "DOCUMENT_TOO_LONG"),
        ("longer.txt", b"a" * (13 << 20), "DOCUMENT_TOO_LONG"),
        # A renamed text of another kind is no document, and no sound.
        ("letter.mp3", b"Dear all,\n", "MEDIA_UNREADABLE"),
    ],
)
async def test_documents_that_are_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await probe_file(written(tmp_path, content, name), name)
    assert caught.value.reason == reason
    assert str(tmp_path) not in caught.value.message


async def test_bombs_end_their_reader_only(tmp_path: Path) -> None:
    # 256 MiB of zeros behind two deflations, as a page's content.
    made = Pdf()
    packer = zlib.compressobj(1)
    zeros = b"".join(packer.compress(bytes(1 << 24)) for _ in range(16)) + packer.flush()
    twice = zlib.compress(zeros)
    content = made.add(
        b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(twice), twice)
    )
    made.add(b"<< /Type /Page /Parent 3 0 R /MediaBox [0 0 9 9] /Contents %d 0 R >>" % content)
    made.add(b"<< /Type /Pages /Count 1 /Kids [2 0 R] >>")
    bomb = written(tmp_path, made.to_bytes(made.add(b"<< /Type /Catalog /Pages 3 0 R >>")), "bomb.pdf")
    assert bomb.stat().st_size < 1 << 18
    with pytest.raises(InvalidInput) as caught:
        await probe_file(bomb, "bomb.pdf")
    assert caught.value.reason in ("MEDIA_UNREADABLE", "DOCUMENT_WITHOUT_TEXT")


@pytest.mark.parametrize(
    ("cpu_seconds", "work", "returncodes"),
    [
        # Beyond the memory: an exception, or whatever a library in C makes of it.
        (60, "bytearray(1 << 30)", {1}),
        (1, "while True: pass", {-signal.SIGXCPU, -signal.SIGKILL}),
        (
            60,
            "import tempfile\nfile = tempfile.TemporaryFile(buffering=0)\n"
            "for _ in range(129): file.write(bytes(1 << 20))",
            {1},
        ),
    ],
)
def test_readers_are_confined(cpu_seconds: int, work: str, returncodes: set[int]) -> None:
    program = (
        "from recordroute_gateway.library.readers.confine import confine\n"
        f"confine(cpu_seconds={cpu_seconds}, memory_bytes=512 << 20)\n{work}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=240)
    assert done.returncode in returncodes, done.stderr


async def test_reader_that_does_not_end_is_ended(tmp_path: Path) -> None:
    endless = tmp_path / "endless.txt"
    os.mkfifo(endless)
    with pytest.raises(ReaderStopped):
        await run_reader("documents", "look", str(endless), "text", seconds=0.5)


async def test_lines_are_counted_as_in_the_file(tmp_path: Path) -> None:
    content = (
        "# Minutes\n\nThe first paragraph goes on\nover two lines.\n\n\n- one\n- two\n  goes on\n\n"
        + KOREAN
        + "\n"
    )
    path = written(tmp_path, content.encode(), "notes.md")
    probe = await probe_file(path, "notes.md")
    assert (probe.media_type, probe.page_count) == ("text/markdown", 0)
    transcript = await read_document(path, probe.media_type, None)
    assert [(segment.line, segment.text) for segment in transcript.segments] == [
        (1, "# Minutes"),
        (3, "The first paragraph goes on\nover two lines."),
        (7, "- one"),
        (8, "- two\n  goes on"),
        (11, KOREAN),
    ]
    assert all(segment.page is None for segment in transcript.segments)
    assert transcript.language == "ko"
    assert (await read_document(path, probe.media_type, "de")).language == "de"
    english = written(tmp_path, b"The council decided that the library will be built.\n", "english.txt")
    assert (await read_document(english, "text/plain", None)).language == "en"


def test_long_paragraphs_are_cut_between_sentences() -> None:
    sentences = [f"Sentence number {number} says something of some length." for number in range(60)]
    text = "\n".join(sentences)
    blocks = list(split_block(text))
    assert "".join(block for _, block in blocks) == text
    assert len(blocks) > 5
    assert all(block.rstrip().endswith(".") for _, block in blocks)
    assert all(text.startswith(block, position) for position, block in blocks)
    endless = "word " * 5000
    assert max(len(block) for _, block in split_block(endless)) <= LONGEST_BLOCK
    assert max(len(block) for _, block in split_block("x" * 20_000)) <= LONGEST_BLOCK


def test_paragraphs_are_found_in_time() -> None:
    # No input makes the patterns run away.
    for hostile in ("#" * 100_000, "(1" * 50_000, " " * 100_000 + "x", ".\"'" * 50_000, "\n" * 100_000):
        list(paragraphs(hostile.split("\n")))
        list(split_block(hostile))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (KOREAN, "utf-8"),
        (KOREAN, "utf-8-sig"),
        (KOREAN, "utf-16"),
        (KOREAN, "utf-16-le"),
        (KOREAN, "utf-16-be"),
        (KOREAN, "utf-32"),
        (KOREAN, "cp949"),
        (KOREAN, "euc-kr"),
        ("회의록\r\n결정 사항: 예산을 늘린다.", "cp949"),
        # In CP949 beyond EUC-KR.
        ("똠방각하 펲시콜라를 마시는 햏자가 회의에서 이야기를 했다.", "cp949"),
        ("Plain English.", "ascii"),
        ("Plain English in wide characters.", "utf-16-le"),
        ("Réunion du comité : les élèves présents ont décidé à l'unanimité.", "latin-1"),
        ("Die Straße wird größer — „gut“.", "cp1252"),
        ("本日の会議では、来年度の予算について話し合いました。次回は金曜日です。", "shift_jis"),
        ("本日の会議では、来年度の予算について話し合いました。次回は金曜日です。", "euc_jp"),
        ("今天的会议讨论了明年的预算问题。下次会议在星期五举行，请大家准时参加。", "gb18030"),
        ("Сегодня на совещании обсуждали бюджет на следующий год.", "cp1251"),
    ],
)
def test_encodings(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding)) == text


def test_binaries_are_no_text(data: Path) -> None:
    assert decode_text((data / "jfk.flac").read_bytes()) is None
    assert decode_text(bytes(1000)) is None
    assert decode_text(b"") == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (KOREAN, "ko"),
        ("The council decided that the new library will be built beside the old station.", "en"),
        ("Der Rat hat beschlossen, die neue Bibliothek neben dem alten Bahnhof zu bauen.", "de"),
        ("本日の会議では、来年度の予算について話し合いました。", "ja"),
        ("12345 --- 67", ""),
    ],
)
def test_languages(text: str, language: str) -> None:
    assert detect_language(text)[0] == language


async def test_document_is_uploaded_and_given_back(files: Any) -> None:
    content = pdf(REPORT, created="D:20240203040506Z")

    async def messages() -> AsyncIterator[upload_pb2.UploadRecordingRequest]:
        config = upload_pb2.UploadConfig(request_id=str(uuid.uuid4()), file_name="report.pdf")
        yield upload_pb2.UploadRecordingRequest(config=config)
        yield upload_pb2.UploadRecordingRequest(chunk=content)

    recording = (await files.upload_stub.UploadRecording(messages())).recording
    assert recording.kind == library_pb2.RECORDING_KIND_DOCUMENT
    assert (recording.media_type, recording.page_count) == ("application/pdf", 4)
    assert not recording.HasField("duration")
    assert to_datetime(recording.recorded_at).isoformat() == "2024-02-03T04:05:06+00:00"
    waveform = library_pb2.GetWaveformRequest(recording_id=recording.id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await files.library_stub.GetWaveform(waveform, timeout=60)
    assert read_error(caught.value).reason == "NO_AUDIO"


class Upstream(embedding_pb2_grpc.EmbeddingServiceServicer, llm_pb2_grpc.LlmServiceServicer):
    """Stands in for the services behind; it notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def SplitPassages(self, request: Any, context: Any) -> Any:
        self.asked.append(request)
        passages = [
            embedding_pb2.Passage(index=index, text=block.text, page=block.page, line=block.line)
            for index, block in enumerate(request.blocks)
        ]
        for passage in passages:
            passage.content_hash = hashlib.md5(passage.text.encode()).hexdigest()
            passage.start.FromSeconds(0)
            passage.end.FromSeconds(0)
        return embedding_pb2.SplitPassagesResponse(passages=passages, model="m")

    async def Embed(self, request: Any, context: Any) -> Any:
        return embedding_pb2.EmbedResponse(
            embeddings=[embedding_pb2.Embedding(values=[1.0]) for _ in request.texts], model="m"
        )

    async def Summarize(self, request: Any, context: Any) -> AsyncIterator[Any]:
        self.asked.append(request)
        evidence = minutes_pb2.Evidence(segment_index=2, quote=request.segments[2].text)
        section = minutes_pb2.MinutesSection(
            kind=minutes_pb2.MINUTES_SECTION_KIND_DECISIONS,
            items=[minutes_pb2.MinutesItem(text="A decision.", evidence=[evidence])],
        )
        minutes = minutes_pb2.Minutes(language="en", sections=[section], model="m")
        yield llm_pb2.SummarizeResponse(result=llm_pb2.SummarizeResult(minutes=minutes))


@pytest.fixture
async def upstream() -> AsyncIterator[SimpleNamespace]:
    servicer, server = Upstream(), grpc.aio.server()
    embedding_pb2_grpc.add_EmbeddingServiceServicer_to_server(servicer, server)
    llm_pb2_grpc.add_LlmServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(
        f"127.0.0.1:{port}", options=(("grpc.enable_http_proxy", 0),)
    ) as channel:
        yield SimpleNamespace(servicer=servicer, vector=VectorClient(channel), llm=LlmClient(channel))
    await server.stop(0)


async def test_pages_and_lines_reach_passages_and_minutes(tmp_path: Path, upstream: SimpleNamespace) -> None:
    async def report(_: float) -> None:
        await asyncio.sleep(0)

    transcript = await read_document(written(tmp_path, pdf(REPORT), "r.pdf"), "application/pdf", None)
    embedded = await upstream.vector.embed(transcript, report=report)
    assert embedded is not None
    asked = upstream.servicer.asked[-1]
    assert not asked.segments
    assert [block.page for block in asked.blocks] == [segment.page for segment in transcript.segments]
    assert all(block.starts_paragraph and not block.HasField("line") for block in asked.blocks)
    minutes = await upstream.llm.summarize(transcript, owner="local", model="", style=Style(), report=report)
    evidence = with_places(minutes, transcript).sections[0].items[0].evidence[0]
    assert isinstance(evidence, Evidence)
    assert (evidence.page, evidence.line) == (transcript.segments[2].page, None)
    assert evidence.quote == transcript.segments[2].text
