"""The parts of live sessions by themselves: file, order, containers, events."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recordroute_gateway.live.audio import AudioFormat, Encoding, opus_samples
from recordroute_gateway.live.container import write_container
from recordroute_gateway.live.errors import AudioAhead
from recordroute_gateway.live.log import RESTART_GAP, EventLog
from recordroute_gateway.live.records import AudioSaved, Caption, LiveEvent, SpeechChange, Warned
from recordroute_gateway.live.reorder import Chunk, ReorderWindow
from recordroute_gateway.live.spool import BEGIN, Spool, read_chunks
from recordroute_runtime.errors import InvalidInput, StorageFull

SPEECH = AudioFormat(Encoding.PCM_S16LE, 16_000, 1)
TENTH = 3200


def chunks_of(path: Path, audio_format: AudioFormat = SPEECH) -> list[bytes]:
    return [chunk.audio for chunk in read_chunks(path, audio_format)]


def opus_packets(count: int, channels: int = 1) -> list[bytes]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono" if channels == 1 else "stereo", "flt"
    packets = []
    for index in range(count):
        tone = np.sin(np.arange(index * 960, (index + 1) * 960) * 440 * 2 * np.pi / 48_000) * 0.3
        samples = np.repeat(tone.astype(np.float32), channels)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="flt", layout=encoder.layout.name)
        frame.sample_rate, frame.pts = 48_000, index * 960
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


# The file -------------------------------------------------------------------------------------------------------------


def test_a_chunk_that_was_cut_off_is_cut_away_and_the_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    with Spool(path, SPEECH) as spool:
        spool.append(0, [bytes([n]) * TENTH for n in range(5)])
        whole = path.read_bytes()
    for cut in (1, 7, 9, TENTH, TENTH + 7):
        path.write_bytes(whole[:-cut])
        with Spool(path, SPEECH) as spool:
            assert spool.count == 4
            assert spool.seconds == pytest.approx(0.4)
            spool.append(4, [b"\x09" * TENTH])
        assert chunks_of(path) == [bytes([n]) * TENTH for n in (0, 1, 2, 3, 9)]


def test_a_changed_byte_ends_the_file_there(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    with Spool(path, SPEECH) as spool:
        spool.append(0, [b"\x01\x00" * 100, b"\x02\x00" * 100, b"\x03\x00" * 100])
    data = bytearray(path.read_bytes())
    data[8 + 208 + 50] ^= 0xFF
    path.write_bytes(data)
    with Spool(path, SPEECH) as spool:
        assert spool.count == 1
    assert path.stat().st_size == 8 + 208


@pytest.mark.parametrize("left", [b"", b"RR", b"RRLIVE1\n\xff\xff\xff\xff1234"])
def test_a_file_that_was_hardly_begun_is_empty(tmp_path: Path, left: bytes) -> None:
    path = tmp_path / "a.spool"
    path.write_bytes(left)
    with Spool(path, SPEECH) as spool:
        assert (spool.count, spool.seconds) == (0, 0.0)
        spool.append(0, [b"ab"])
    assert chunks_of(path) == [b"ab"]


def test_appending_again_changes_nothing(tmp_path: Path) -> None:
    with Spool(tmp_path / "a.spool", SPEECH) as spool:
        spool.append(0, [b"aa", b"bb"])
        spool.append(0, [b"aa", b"bb", b"cc"])
        spool.append(1, [b"xx"])
        spool.append(9, [b"zz"])
        assert (spool.count, spool.sync()) == (3, 3)
    assert chunks_of(tmp_path / "a.spool") == [b"aa", b"bb", b"cc"]


def test_a_full_disk_leaves_only_whole_appends(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    with Spool(path, SPEECH) as spool:
        spool.append(0, [b"aa"])
        # A limit of this process stands for the disk: it too stops a write in its middle.
        real = os.pwrite

        def full(file: int, data: memoryview, offset: int) -> int:
            if len(data) > 20:
                return real(file, data[:20], offset)
            raise OSError(28, "No space left on device")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            with pytest.raises(StorageFull):
                spool.append(1, [b"bb" * 50])
        assert (spool.count, path.stat().st_size) == (1, spool.end.offset)
        spool.append(1, [b"cc"])
    assert chunks_of(path) == [b"aa", b"cc"]


def test_captions_find_a_place_to_begin(tmp_path: Path) -> None:
    with Spool(tmp_path / "a.spool", SPEECH) as spool:
        for n in range(1000):
            spool.append(n, [bytes(TENTH)])
        place = spool.place_at(70.3)
        assert 70.0 <= place.samples / 16_000 <= 70.3
        assert 70.3 <= spool.place_from(70.3).samples / 16_000 <= 70.6
        assert spool.place_from(1000.0) == spool.end
        assert next(read_chunks(spool.path, SPEECH, place)).after.samples == place.samples + 1600
        # What is longer ago than the marks reach begins where they do.
        assert 0 < spool.place_at(1.0).samples / 16_000 < 45
    assert BEGIN.samples == 0


# The order ------------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_order_with_losses_and_repetitions_gives_the_same_audio(data: st.DataObject) -> None:
    """A client that sends what is wanted next whenever it is told of a gap, over a network that does what it likes."""
    count = data.draw(st.integers(1, 30))
    chunks = [Chunk(bytes([n]), n == count - 1) for n in range(count)]
    window, written = ReorderWindow(max_chunks=8, max_bytes=1000), []
    for _ in range(400):
        if len(written) == count:
            break
        sequence = data.draw(st.one_of(st.just(len(written)), st.integers(0, count - 1)))
        if sequence < len(written):
            continue
        if sequence - len(written) > 8:
            with pytest.raises(AudioAhead, match=f"chunk {len(written)} has not come"):
                window.put(sequence, chunks[sequence], len(written))
            continue
        window.put(sequence, chunks[sequence], len(written))
        written += [chunk.audio for chunk in window.ready(len(written))]
        window.drop(len(written))
        assert len(window) <= 9
    assert written == [chunk.audio for chunk in chunks][: len(written)]
    if len(written) < count:
        for sequence in range(len(written), count):
            if sequence == len(written):
                window.put(sequence, chunks[sequence], len(written))
                written += [chunk.audio for chunk in window.ready(len(written))]
                window.drop(len(written))
    assert written == [chunk.audio for chunk in chunks]


def test_what_waits_has_an_end_and_the_next_one_always_fits() -> None:
    window = ReorderWindow(max_chunks=100, max_bytes=100)
    window.put(5, Chunk(bytes(60), False), 0)
    with pytest.raises(AudioAhead):
        window.put(6, Chunk(bytes(60), False), 0)
    with pytest.raises(AudioAhead):
        window.put(101, Chunk(b"", False), 0)
    window.put(0, Chunk(bytes(1000), False), 0)
    assert [len(chunk.audio) for chunk in window.ready(0)] == [1000]
    window.drop(1)
    assert len(window) == 1


# The containers -------------------------------------------------------------------------------------------------------


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as media:
        frames = [frame.to_ndarray() for frame in media.decode(audio=0)]
    return np.concatenate(frames, axis=1)


@pytest.mark.parametrize(("channels", "rate"), [(1, 16_000), (2, 44_100), (3, 8_000), (8, 48_000)])
def test_pcm_comes_back_bit_for_bit_from_flac(tmp_path: Path, channels: int, rate: int) -> None:
    audio_format = AudioFormat(Encoding.PCM_S16LE, rate, channels)
    samples = np.random.default_rng(1).integers(-32768, 32767, (5000, channels), np.int16)
    sizes = [1, 999, 1500, 2500]
    with Spool(tmp_path / "a.spool", audio_format) as spool:
        start = 0
        for n, size in enumerate(sizes):
            spool.append(n, [samples[start : start + size].tobytes()])
            start += size
        spool.append(len(sizes), [b""])
    size, sha256 = write_container(tmp_path / "a.spool", audio_format, tmp_path / "a.flac")
    assert size == (tmp_path / "a.flac").stat().st_size
    assert (decoded(tmp_path / "a.flac").reshape(-1, channels) == samples).all()
    again = write_container(tmp_path / "a.spool", audio_format, tmp_path / "b.flac")
    assert again == (size, sha256), "made again it is another file"


def test_floats_are_kept_to_24_bits(tmp_path: Path) -> None:
    audio_format = AudioFormat(Encoding.PCM_F32LE, 48_000, 1)
    samples = np.random.default_rng(1).uniform(-1, 1, 4800).astype("<f4")
    wild = np.array([np.nan, np.inf, -np.inf, 3.0, -3.0], "<f4")
    with Spool(tmp_path / "a.spool", audio_format) as spool:
        spool.append(0, [samples.tobytes(), wild.tobytes()])
    write_container(tmp_path / "a.spool", audio_format, tmp_path / "a.flac")
    back = decoded(tmp_path / "a.flac")[0].astype(np.float64) / 2**31
    assert np.abs(back[:4800] - samples).max() <= 2**-24
    assert back[4800:] == pytest.approx([0, 1, -1, 1, -1], abs=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_opus_packets_are_kept_as_they_came(tmp_path: Path, channels: int) -> None:
    audio_format = AudioFormat(Encoding.OPUS, 48_000, channels)
    packets = opus_packets(100, channels)
    assert {opus_samples(packet) for packet in packets} == {960}
    with Spool(tmp_path / "a.spool", audio_format) as spool:
        spool.append(0, [*packets[:50], b"", *packets[50:]])
        assert spool.seconds == pytest.approx(2.0)
    first = write_container(tmp_path / "a.spool", audio_format, tmp_path / "a.opus")
    with av.open(str(tmp_path / "a.opus")) as media:
        assert media.format.name == "ogg"
        assert media.streams.audio[0].codec_context.channels == channels
        assert media.duration / 1e6 == pytest.approx(2.0, abs=0.02)
        assert [bytes(packet) for packet in media.demux() if packet.size] == packets
    assert decoded(tmp_path / "a.opus").std() > 0.1
    assert write_container(tmp_path / "a.spool", audio_format, tmp_path / "b.opus") == first


def test_a_container_that_finds_no_room_says_so(tmp_path: Path) -> None:
    with Spool(tmp_path / "a.spool", SPEECH) as spool:
        spool.append(0, [os.urandom(100_000)])
    with pytest.raises(StorageFull):
        write_container(tmp_path / "a.spool", SPEECH, Path("/dev/full"))


@pytest.mark.parametrize(
    ("audio_format", "chunk"),
    [
        (SPEECH, b"abc"),
        (AudioFormat(Encoding.PCM_F32LE, 16_000, 2), bytes(12)),
        (AudioFormat(Encoding.OPUS, 48_000, 1), b"\xff\x00"),
        (AudioFormat(Encoding.OPUS, 48_000, 1), b"\xff"),
        (AudioFormat(Encoding.OPUS, 48_000, 1), b"\xf8" + bytes(70_000)),
    ],
)
def test_chunks_that_are_no_audio_are_refused(audio_format: AudioFormat, chunk: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        audio_format.samples(chunk)
    assert caught.value.reason == "AUDIO"


# The events -----------------------------------------------------------------------------------------------------------


def final(number: int) -> Caption:
    return Caption(number, True, number, number + 1, f"words {number}", "", 1.0, "en", -0.2)


def interim(text: str) -> Caption:
    return Caption(9, False, 9, 10, "", text, 0.5, "en")


async def taken(log: EventLog, after: int, count: int) -> list[LiveEvent]:
    found: list[LiveEvent] = []
    events = log.watch(after)
    async for event in events:
        found.append(event)
        if len(found) == count:
            break
    await events.aclose()
    return found


async def test_kept_events_are_numbered_and_found_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "a.events"
    log = EventLog(path)
    for number in range(3):
        log.add(interim("not kept"))
        log.add(final(number))
    log.add(Warned("CAPTIONS_INTERRUPTED", "so"))
    assert [event.sequence for event in await taken(log, 1, 3)] == [2, 3, 4]
    with path.open("ab") as file:
        file.write(b'{"sequence": 5, "kind": "Capt')
    again = EventLog(path)
    assert await taken(again, 1, 3) == await taken(log, 1, 3)
    assert (again.captioned, again.utterances) == (3.0, 3)
    again.add(final(3))
    assert again.last_sequence == 4 + RESTART_GAP + 1, "a number is given twice"


async def test_a_slow_watcher_gets_every_final_caption_and_the_newest_of_the_rest(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "a.events")
    events = log.watch(0)
    log.add(final(0))
    assert (await anext(events)).body == final(0)
    for number in range(1, 400):
        log.add(interim(f"so far {number}"))
        log.add(AudioSaved(number))
        log.add(SpeechChange(True, number))
        log.add(final(number))
    log.add(interim("newest"))
    bodies = [(await anext(events)).body for _ in range(402)]
    assert bodies[:399] == [final(number) for number in range(1, 400)]
    assert bodies[399:] == [SpeechChange(True, 399), interim("newest"), AudioSaved(399)]
    assert log.watchers == 1
    await events.aclose()
    assert log.watchers == 0


async def test_a_final_caption_takes_the_interim_ones_before_it_away(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "a.events")
    watching = asyncio.create_task(taken(log, 0, 1))
    await asyncio.sleep(0)
    log.add(interim("so far"))
    log.add(final(9))
    log.close()
    assert [event.body for event in await watching] == [final(9)]


async def test_events_that_can_not_be_written_are_told_all_the_same(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "away" / "a.events")
    log.add(final(0))
    assert [event.body for event in await taken(log, 0, 1)] == [final(0)]
