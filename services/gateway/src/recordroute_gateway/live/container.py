"""Makes the file that a session's audio is kept as.

PCM becomes FLAC: without loss, about half the size, played by browsers, with a checksum of its own, and without the
4 GiB limit of WAV; floats are kept to 24 bits, more than any microphone has. Opus packets go into Ogg (RFC 7845) as
they came, without another loss.
"""

from __future__ import annotations

import hashlib
import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from numpy.typing import NDArray

from recordroute_gateway.blobs import raise_if_full
from recordroute_gateway.live.audio import AudioFormat, Encoding
from recordroute_gateway.live.spool import read_chunks

# FFmpeg's names of what a number of channels usually means.
LAYOUTS = ("mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1")
FLAC_24_BIT_SCALE = 1 << 23
# Nothing random goes into the file: made again after a crash it is the same blob.
REPRODUCIBLE = {"fflags": "+bitexact"}
HASH_CHUNK_BYTES = 1 << 20


def suffix(audio_format: AudioFormat) -> str:
    """Returns the suffix of the file's name."""
    return ".opus" if audio_format.encoding is Encoding.OPUS else ".flac"


def media_type(audio_format: AudioFormat) -> str:
    """Returns the file's media type."""
    return "audio/ogg" if audio_format.encoding is Encoding.OPUS else "audio/flac"


def write_container(spool: Path, audio_format: AudioFormat, target: Path) -> tuple[int, str]:
    """Writes the file, on disk when this returns; returns its size and its SHA-256. Raises StorageFull."""
    opus = audio_format.encoding is Encoding.OPUS
    try:
        with av.open(
            str(target), "w", format="ogg" if opus else "flac", container_options=REPRODUCIBLE
        ) as output:
            (_write_opus if opus else _write_flac)(output, spool, audio_format)
        return _sync_and_hash(target)
    except OSError as error:
        raise_if_full(error)
        raise


def _write_flac(output: OutputContainer, spool: Path, audio_format: AudioFormat) -> None:
    integer = audio_format.encoding is Encoding.PCM_S16LE
    layout = LAYOUTS[audio_format.channels - 1]
    sample_format = "s16" if integer else "s32"
    stream: AudioStream = output.add_stream(
        "flac", rate=audio_format.rate, layout=layout, format=sample_format
    )
    for chunk in read_chunks(spool, audio_format):
        if not chunk.audio:
            continue
        samples = _integers(np.frombuffer(chunk.audio, "<i2" if integer else "<f4"))
        frame = AudioFrame.from_ndarray(samples[None], format=sample_format, layout=layout)
        frame.sample_rate = audio_format.rate
        frame.pts = chunk.after.samples - len(samples) // audio_format.channels
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def _integers(samples: NDArray[np.int16] | NDArray[np.float32]) -> NDArray[np.int16] | NDArray[np.int32]:
    if samples.dtype.kind == "i":
        return samples.astype(np.int16, copy=False)
    # What is no number is silence; FFmpeg's 24 bits are the upper ones of 32.
    finite = np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).astype(np.float64)
    scaled = np.clip(np.rint(finite * FLAC_24_BIT_SCALE), -FLAC_24_BIT_SCALE, FLAC_24_BIT_SCALE - 1)
    return scaled.astype(np.int32) << 8


def _write_opus(output: OutputContainer, spool: Path, audio_format: AudioFormat) -> None:
    # The encoder encodes nothing: it writes the header that goes with its own packets, and with everybody's.
    stream: AudioStream = output.add_stream(
        "libopus", rate=audio_format.rate, layout=LAYOUTS[audio_format.channels - 1]
    )
    for chunk in read_chunks(spool, audio_format):
        if not chunk.audio:
            continue
        packet = av.Packet(chunk.audio)
        packet.duration = audio_format.samples(chunk.audio)
        packet.pts = packet.dts = chunk.after.samples - packet.duration
        packet.time_base = Fraction(1, audio_format.rate)
        packet.stream = stream
        output.mux(packet)


def _sync_and_hash(path: Path) -> tuple[int, str]:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        os.fsync(file.fileno())
        while block := file.read(HASH_CHUNK_BYTES):
            digest.update(block)
        return file.tell(), digest.hexdigest()
