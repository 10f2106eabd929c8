"""Recordings whose words and places are known: the samples of tests/data, and what is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from nonspeech import RATE, Samples, band, coloured_noise

DATA = Path(__file__).resolve().parent.parent / "tests/data"

JFK = "And so my fellow Americans, ask not what your country can do for you, ask what you can do for your country."
LIBRIVOX = {
    "librivox_0870.wav": "and mister john dashwood had then leisure to consider how much there might be prudently in "
    "his power to do for them",
    "librivox_0880.wav": "he was not an ill disposed young man",
    "librivox_0890.wav": "unless to be rather cold hearted and rather selfish is to be ill disposed",
}
LEFT = "He began a confused complaint against the wizard, who had vanished behind the curtain on the left."
RIGHT = "The horizon seems extremely distant."
LICENCE_ENGLISH = (
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated "
    "documentation files to deal in the software without restriction, including without limitation the rights to use, "
    "copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the software, and to permit persons "
    "to whom the software is furnished to do so, subject to the following conditions: The above copyright notice and "
    "this permission notice shall be included in all copies or substantial portions of the software."
)
LICENCE_GERMAN = (
    "Jedem, der diese Software und die dazugehörigen Dokumentationsdateien erhält, wird hiermit unentgeltlich die "
    "Genehmigung erteilt, mit der Software uneingeschränkt zu verfahren. Dies umfasst insbesondere das Recht, die "
    "Software zu verwenden, zu vervielfältigen, zu modifizieren, zusammenzufügen, zu veröffentlichen, zu verteilen, "
    "unterzulizenzieren und/oder Kopien der Software zu verkaufen und diese Rechte unter folgenden Bedingungen "
    "anderen zu übertragen."
)
# Where the German begins in multilingual.mp3, in seconds: the middle of a pause.
GERMAN_FROM = 30.0


@dataclass(frozen=True)
class Piece:
    """A stretch of known speech; times in seconds."""

    text: str
    start: float
    end: float
    language: str = "en"


@dataclass(frozen=True)
class Recording:
    """Speech with what is said in it and where."""

    name: str
    audio: Samples
    pieces: tuple[Piece, ...]

    @property
    def text(self) -> str:
        return " ".join(piece.text for piece in self.pieces)


def decoded(name: str, channel: int | None = None) -> Samples:
    """Returns a file of tests/data, or one channel of it, at 16 kHz."""
    with av.open(str(DATA / name)) as file:
        layout = "mono" if channel is None else "stereo"
        resampler = av.AudioResampler("fltp", layout, RATE)
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.asarray(
        np.concatenate([frame.to_ndarray() for frame in frames], axis=1)[channel or 0], np.float32
    )


def speech_span(audio: Samples) -> tuple[float, float]:
    """Returns when a clean clip's speech begins and ends: where 20 ms are within 30 dB of the loudest."""
    hop = RATE // 50
    levels = np.square(audio[: len(audio) // hop * hop].reshape(-1, hop)).mean(axis=1)
    loud = np.flatnonzero(levels > levels.max() * 1e-3)
    return float(loud[0]) * hop / RATE, float(loud[-1] + 1) * hop / RATE


def single(name: str, audio: Samples, text: str, language: str = "en") -> Recording:
    return Recording(name, audio, (Piece(text, *speech_span(audio), language),))


def samples() -> list[Recording]:
    """Every recording of tests/data whose words are known."""
    licence = decoded("multilingual.mp3")
    turn = round(GERMAN_FROM * RATE)
    return [
        single("jfk", decoded("jfk.flac"), JFK),
        *(single(Path(name).stem, decoded(name), text) for name, text in LIBRIVOX.items()),
        single("stereo, left channel", decoded("stereo_two_channels.wav", 0), LEFT),
        single("stereo, right channel", decoded("stereo_two_channels.wav", 1), RIGHT),
        single("licence, English", licence[:turn], LICENCE_ENGLISH),
        single("licence, German", licence[turn:], LICENCE_GERMAN, "de"),
    ]


def joined(name: str, recordings: Sequence[Recording], pauses: Sequence[float]) -> Recording:
    """Returns the recordings' speech with `pauses` seconds of near silence before each, and after the last."""
    random = np.random.default_rng(7)
    parts: list[Samples] = []
    pieces: list[Piece] = []
    now = 0.0
    for recording, pause in zip(recordings, pauses, strict=False):
        parts.append(np.asarray(1e-4 * random.standard_normal(round(pause * RATE)), np.float32))
        now += len(parts[-1]) / RATE
        start, end = recording.pieces[0].start, recording.pieces[-1].end
        speech = recording.audio[round(start * RATE) : round(end * RATE)]
        shift = now - start
        pieces += [
            Piece(piece.text, piece.start + shift, piece.end + shift, piece.language)
            for piece in recording.pieces
        ]
        parts.append(speech)
        now += len(speech) / RATE
    parts.append(np.asarray(1e-4 * random.standard_normal(round(pauses[-1] * RATE)), np.float32))
    return Recording(name, np.concatenate(parts), tuple(pieces))


def louder(recording: Recording, decibels: float) -> Recording:
    audio = np.asarray(recording.audio * 10 ** (decibels / 20), np.float32)
    return Recording(f"{recording.name}, {decibels:+.0f} dB", audio, recording.pieces)


def noisy(recording: Recording, decibels: float) -> Recording:
    """Pink noise, `decibels` below the speech."""
    noise = coloured_noise(np.random.default_rng(11), len(recording.audio), 1)
    power = np.sqrt(np.mean(recording.audio**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
    audio = np.asarray(recording.audio + power * noise, np.float32)
    audio /= max(1.0, float(np.abs(audio).max()))
    return Recording(f"{recording.name}, noise {decibels:.0f} dB below", audio, recording.pieces)


def telephone(recording: Recording) -> Recording:
    audio = np.asarray(band(recording.audio.astype(np.float64), 300, 3400), np.float32)
    return Recording(f"{recording.name}, telephone band", audio, recording.pieces)
