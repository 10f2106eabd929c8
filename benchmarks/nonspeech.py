"""Sounds without speech, made from numbers: the same on every machine, several kinds of each group.

Every sound is mono float32 at 16 kHz, its peak at most 1. They are what a recorder hears when nobody speaks, and what a
speech model writes words for if it is let.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.float32]
Signal = NDArray[np.float64]
Random = np.random.Generator

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
# Rows 697..941 Hz and columns 1209..1633 Hz of ITU-T Q.23.
KEYPAD = {
    key: (row, column)
    for row, keys in zip((697, 770, 852, 941), ("123A", "456B", "789C", "*0#D"), strict=True)
    for column, key in zip((1209, 1336, 1477, 1633), keys, strict=True)
}


def seconds_axis(seconds: float) -> Signal:
    return np.arange(round(seconds * RATE)) / RATE


def level(signal: Signal, decibels: float) -> Samples:
    """Returns `signal` at an RMS of `decibels` below full scale, and never clipped."""
    scaled = signal / max(float(np.sqrt(np.mean(signal**2))), 1e-12) * 10 ** (decibels / 20)
    return np.asarray(scaled / max(1.0, float(np.abs(scaled).max())), np.float32)


def coloured_noise(random: Random, count: int, slope: float) -> Signal:
    """Noise whose power falls with frequency as f^-slope: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(random.standard_normal(count))
    frequencies = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 20.0)
    return np.fft.irfft(spectrum * frequencies ** (-slope / 2), count)


def band(signal: Signal, low: float, high: float) -> Signal:
    spectrum = np.fft.rfft(signal)
    frequencies = np.fft.rfftfreq(len(signal), 1 / RATE)
    return np.fft.irfft(spectrum * ((frequencies >= low) & (frequencies <= high)), len(signal))


def wander(random: Random, count: int, hertz: float) -> Signal:
    """A slow random curve from 0 to 1 that turns about `hertz` times a second."""
    points = random.random(max(4, round(count / RATE * hertz) + 2))
    return np.interp(np.linspace(0, len(points) - 1, count), np.arange(len(points)), points)


def add(target: Signal, at: float, sound: Signal) -> None:
    first = round(at * RATE)
    room = len(target) - first
    if room > 0:
        target[first : first + len(sound)] += sound[:room]


def pitch(midi: float) -> float:
    return float(440.0 * 2 ** ((midi - 69) / 12))


# Instruments: one note of `seconds` at `hertz`.


def tone(hertz: NDArray[np.floating] | float, seconds: float, partials: tuple[float, ...]) -> Signal:
    axis = seconds_axis(seconds)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, axis.shape)) / RATE
    return sum((gain * np.sin(k * phase) for k, gain in enumerate(partials, 1)), np.zeros_like(axis))


def fade(signal: Signal, attack: float, release: float) -> Signal:
    axis = seconds_axis(len(signal) / RATE)[: len(signal)]
    left = axis[-1] - axis if len(axis) else axis
    return signal * np.clip(axis / attack, 0, 1) * np.clip(left / release, 0, 1)


def vibrato(random: Random, axis: Signal, most: float) -> Signal:
    """Factor on a note's frequency: up to `most` (0.03 is half a semitone) either way, five to six times a second."""
    depth = random.uniform(0, most) * np.clip(axis / 0.3, 0, 1)
    return 1 + depth * np.sin(2 * np.pi * random.uniform(4.8, 6.2) * axis + random.uniform(0, 6))


def piano(random: Random, hertz: float, seconds: float) -> Signal:
    axis = seconds_axis(seconds)
    partials = (1.0, 0.6, 0.4, 0.25, 0.15, 0.1, 0.06, 0.04)
    note = sum(
        (
            gain
            * np.exp(-axis * (1.2 + 0.8 * k))
            * np.sin(2 * np.pi * hertz * k * np.sqrt(1 + 4e-4 * k * k) * axis)
            for k, gain in enumerate(partials, 1)
            if hertz * k < RATE / 2.2
        ),
        np.zeros_like(axis),
    )
    return fade(note, 0.004, 0.05)


def organ(random: Random, hertz: float, seconds: float) -> Signal:
    return fade(tone(hertz, seconds, (1.0, 0.8, 0.5, 0.5, 0.0, 0.3, 0.0, 0.3)), 0.03, 0.06)


def strings(random: Random, hertz: float, seconds: float) -> Signal:
    axis = seconds_axis(seconds)
    bend = vibrato(random, axis, 0.025)
    return fade(tone(hertz * bend, seconds, tuple(1 / k for k in range(1, 13))), 0.15, 0.15)


def flute(random: Random, hertz: float, seconds: float) -> Signal:
    axis = seconds_axis(seconds)
    bend = vibrato(random, axis, 0.012)
    breath = band(random.standard_normal(len(axis)), hertz * 0.8, min(hertz * 4, 7000.0))
    swell = 1 + 0.2 * np.sin(2 * np.pi * 5.0 * axis)
    return fade(swell * tone(hertz * bend, seconds, (1.0, 0.3, 0.15, 0.05)) + 0.05 * breath, 0.06, 0.08)


def brass(random: Random, hertz: float, seconds: float) -> Signal:
    axis = seconds_axis(seconds)
    slide = (1 - 0.06 * np.exp(-axis * random.uniform(8, 30))) * vibrato(random, axis, 0.01)
    bright = tone(hertz * slide, seconds, (0.5, 0.8, 1.0, 0.9, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1))
    return fade(bright, 0.05, 0.06)


def reed(random: Random, hertz: float, seconds: float) -> Signal:
    """Odd partials above all, as in a clarinet, with a little of the player's breath."""
    axis = seconds_axis(seconds)
    body = tone(
        hertz * vibrato(random, axis, 0.015), seconds, (1.0, 0.1, 0.7, 0.15, 0.5, 0.15, 0.3, 0.1, 0.15)
    )
    return fade(body + 0.02 * random.standard_normal(len(axis)), 0.04, 0.06)


def plucked(random: Random, hertz: float, seconds: float) -> Signal:
    """A string after Karplus and Strong (Computer Music Journal 7(2), 1983), a whole period at a time."""
    period = max(2, round(RATE / hertz))
    line = random.uniform(-1, 1, period)
    periods = []
    for _ in range(round(seconds * RATE) // period + 1):
        periods.append(line)
        line = 0.498 * (line + np.roll(line, 1))
    return fade(np.concatenate(periods)[: round(seconds * RATE)], 0.001, 0.02)


def choir(random: Random, hertz: float, seconds: float) -> Signal:
    """An "ah" without words: a buzz through the formants of Peterson and Barney (JASA 24, 1952)."""
    axis = seconds_axis(seconds)
    bend = vibrato(random, axis, 0.03)
    partials = tuple(
        sum(
            1 / (1 + ((hertz * k - formant) / width) ** 2)
            for formant, width in ((730, 60), (1090, 80), (2440, 120))
        )
        for k in range(1, int(4000 / hertz))
    )
    return fade(tone(hertz * bend, seconds, partials), 0.1, 0.15)


Instrument = Callable[[Random, float, float], Signal]


def melody(random: Random, seconds: float, instrument: Instrument, centre: int, beat: float) -> Signal:
    """A random walk over a scale, in notes of a half to two beats, with rests."""
    out = np.zeros(round(seconds * RATE))
    scale, step, at = (MAJOR, MINOR)[random.integers(2)], 0, 0.0
    while at < seconds:
        length = beat * float(random.choice([0.5, 0.5, 1.0, 1.0, 2.0]))
        step = int(np.clip(step + random.integers(-2, 3), -7, 9))
        if random.random() > 0.08:
            note = pitch(centre + 12 * (step // 7) + scale[step % 7])
            add(out, at, instrument(random, note, length * 0.95) * random.uniform(0.6, 1.0))
        at += length
    return out


def chords(random: Random, seconds: float, instrument: Instrument, centre: int, bar: float) -> Signal:
    out = np.zeros(round(seconds * RATE))
    at = 0.0
    while at < seconds:
        root = int(random.choice([0, 3, 4, 5]))
        for third in (0, 2, 4):
            degree = root + third
            note = centre + 12 * (degree // 7) + MAJOR[degree % 7]
            add(out, at, instrument(random, pitch(note), bar))
        at += bar
    return out


def drums(random: Random, seconds: float, beat: float) -> Signal:
    out = np.zeros(round(seconds * RATE))
    axis = seconds_axis(0.3)
    kick = np.sin(2 * np.pi * (45 * axis + 9 * (1 - np.exp(-axis * 30)))) * np.exp(-axis * 14)
    for index in range(int(seconds / (beat / 2))):
        at = index * beat / 2
        hat = band(random.standard_normal(len(axis)), 5000, 8000) * np.exp(-axis * 60)
        add(out, at, 0.3 * hat)
        if index % 4 == 0 or random.random() < 0.1:
            add(out, at, kick)
        if index % 4 == 2:
            snare = band(random.standard_normal(len(axis)), 200, 6000) * np.exp(-axis * 20)
            add(out, at, 0.5 * snare + 0.4 * np.sin(2 * np.pi * 190 * axis) * np.exp(-axis * 25))
    return out


def band_of_four(random: Random, seconds: float) -> Signal:
    beat = float(random.uniform(0.4, 0.6))
    return (
        0.8 * drums(random, seconds, beat)
        + 0.5 * melody(random, seconds, plucked, 40, beat)
        + 0.15 * chords(random, seconds, organ, 60, 4 * beat)
        + 0.3 * melody(random, seconds, brass, 67, beat)
    )


# Groups: each returns its kinds, `seconds` long.


def silence(random: Random, seconds: float) -> dict[str, Samples]:
    count = round(seconds * RATE)
    return {
        "digital": np.zeros(count, np.float32),
        "dither": level(random.standard_normal(count), -90),
        "offset": np.full(count, 0.01, np.float32),
    }


def room_noise(random: Random, seconds: float) -> dict[str, Samples]:
    count = round(seconds * RATE)
    axis = seconds_axis(seconds)
    rain = np.zeros(count)
    for at in random.uniform(0, seconds, round(60 * seconds)):
        drop = np.exp(-np.arange(160) / 25) * random.standard_normal(160)
        add(rain, at, drop * random.exponential())
    return {
        "white": level(coloured_noise(random, count, 0), -40),
        "white, loud": level(coloured_noise(random, count, 0), -20),
        "pink": level(coloured_noise(random, count, 1), -35),
        "brown": level(coloured_noise(random, count, 2), -25),
        "wind": level(band(coloured_noise(random, count, 1), 50, 900) * wander(random, count, 0.7) ** 2, -25),
        "fan": level(coloured_noise(random, count, 1.5) * (1 + 0.4 * np.sin(2 * np.pi * 4 * axis)), -30),
        "rain": level(rain + 0.2 * coloured_noise(random, count, 0), -30),
    }


def hum(random: Random, seconds: float) -> dict[str, Samples]:
    count = round(seconds * RATE)
    axis = seconds_axis(seconds)
    hiss = 0.02 * random.standard_normal(count)
    buzz = tuple(1 / k for k in range(1, 40))
    drift = 120 * (1 + 0.02 * np.sin(2 * np.pi * 0.3 * axis) + 0.01 * wander(random, count, 2))
    return {
        "50 Hz": level(tone(50.0, seconds, (1.0, 0.5, 0.3)) + hiss, -20),
        "60 Hz, harmonics": level(tone(60.0, seconds, buzz) + hiss, -25),
        "transformer": level(tone(100.0, seconds, (1.0, 0.7, 0.1, 0.4, 0.1, 0.2)), -15),
        "dimmer": level(tone(100.0, seconds, buzz) * (1 + 0.5 * np.sin(2 * np.pi * 5 * axis)) + hiss, -20),
        "engine": level(
            tone(drift, seconds, buzz[:20]) * (1 + 0.3 * wander(random, count, 6))
            + 0.3 * coloured_noise(random, count, 1),
            -20,
        ),
        "feedback": level(tone(1870.0, seconds, (1.0, 0.1)) + hiss, -20),
    }


def music(random: Random, seconds: float) -> dict[str, Samples]:
    return {
        "piano": level(
            melody(random, seconds, piano, 60, 0.4) + melody(random, seconds, piano, 48, 0.8), -20
        ),
        "piano, one voice": level(melody(random, seconds, piano, 55, 0.5), -25),
        "organ chords": level(chords(random, seconds, organ, 55, 1.6), -20),
        "string quartet": level(
            melody(random, seconds, strings, 67, 0.8)
            + melody(random, seconds, strings, 55, 0.8)
            + melody(random, seconds, strings, 48, 1.6),
            -20,
        ),
        "violin": level(melody(random, seconds, strings, 64, 0.5), -20),
        "cello": level(melody(random, seconds, strings, 45, 0.6), -20),
        "flute": level(melody(random, seconds, flute, 72, 0.5), -20),
        "trumpet": level(melody(random, seconds, brass, 62, 0.4), -20),
        "trombone": level(melody(random, seconds, brass, 46, 0.5), -20),
        "clarinet": level(melody(random, seconds, reed, 57, 0.4), -20),
        "accordion": level(
            melody(random, seconds, reed, 64, 0.4) + 0.5 * chords(random, seconds, reed, 48, 1.6), -20
        ),
        "guitar": level(
            melody(random, seconds, plucked, 52, 0.3) + melody(random, seconds, plucked, 40, 0.6), -20
        ),
        "choir": level(chords(random, seconds, choir, 48, 1.5), -20),
        "vocalise": level(melody(random, seconds, choir, 52, 0.6), -20),
        "pad": level(chords(random, seconds, strings, 48, 3.0), -25),
        "drums": level(drums(random, seconds, 0.5), -20),
        "band": level(band_of_four(random, seconds), -18),
        "band, in the next room": level(band(band_of_four(random, seconds), 60, 700), -35),
    }


def signalling(random: Random, seconds: float) -> dict[str, Samples]:
    count = round(seconds * RATE)
    axis = seconds_axis(seconds)

    def dialled(on: float, off: float) -> Signal:
        out = np.zeros(count)
        for index in range(int(seconds / (on + off))):
            row, column = KEYPAD[str(random.choice(list(KEYPAD)))]
            press = tone(float(row), on, (1.0,)) + tone(float(column), on, (1.0,))
            add(out, index * (on + off), fade(press, 0.003, 0.003))
        return out

    def cadence(on: float, off: float) -> Signal:
        return np.asarray((axis % (on + off)) < on, np.float64)

    bits = random.integers(0, 2, round(seconds * 300) + 1)[(axis * 300).astype(np.int64)]
    warble = np.where((axis * 2 % 1) < 0.5, 770.0, 960.0)
    return {
        "DTMF": level(dialled(0.1, 0.1), -20),
        "DTMF, slow": level(dialled(0.3, 0.4), -15),
        "dial tone": level(tone(350.0, seconds, (1.0,)) + tone(440.0, seconds, (1.0,)), -20),
        "ringback": level((tone(440.0, seconds, (1.0,)) + tone(480.0, seconds, (1.0,))) * cadence(2, 4), -20),
        "busy": level((tone(480.0, seconds, (1.0,)) + tone(620.0, seconds, (1.0,))) * cadence(0.5, 0.5), -20),
        "modem": level(tone(1170.0 + 200.0 * bits, seconds, (1.0,)), -25),
        "siren": level(tone(warble, seconds, (1.0, 0.3, 0.1)), -20),
        "reversing lorry": level(tone(1250.0, seconds, (1.0, 0.2)) * cadence(0.5, 0.5), -20),
    }


def clicks(random: Random, seconds: float) -> dict[str, Samples]:
    count = round(seconds * RATE)

    def struck(times: Signal, ring: float, decay: float, noise: float) -> Signal:
        out = np.zeros(count)
        axis = seconds_axis(0.25)
        for at in times:
            hertz = ring * random.uniform(0.8, 1.25)
            body = np.sin(2 * np.pi * hertz * axis) + noise * random.standard_normal(len(axis))
            add(out, float(at), body * np.exp(-axis * decay) * random.uniform(0.3, 1.0))
        return out

    def at_random(rate: float) -> Signal:
        return np.cumsum(random.exponential(1 / rate, round(seconds * rate)))

    impulses = np.zeros(count)
    impulses[:: RATE // 2] = 0.9
    crackle = np.where(random.random(count) < 3e-4, random.standard_normal(count), 0.0)
    hiss = 1e-3 * random.standard_normal(count)
    clap = np.clip(wander(random, count, 0.2) * 1.5, 0.1, 1.0)
    return {
        "impulses": np.asarray(impulses, np.float32),
        "clock": level(struck(np.arange(0, seconds, 1.0), 2500, 120, 0.5) + hiss, -40),
        "keyboard": level(struck(at_random(6), 1800, 90, 2.0) + hiss, -30),
        "knocks": level(struck(at_random(2), 180, 30, 0.3) + hiss, -25),
        "footsteps": level(struck(np.arange(0, seconds, 0.55), 110, 25, 1.0) + hiss, -28),
        "dishes": level(struck(at_random(3), 3200, 18, 0.1) + hiss, -25),
        "crackle": level(crackle + hiss, -30),
        "applause": level(struck(at_random(90), 1100, 80, 3.0) * clap, -20),
    }


GROUPS: dict[str, Callable[[Random, float], dict[str, Samples]]] = {
    "silence": silence,
    "room noise": room_noise,
    "hum": hum,
    "music": music,
    "DTMF and other signals": signalling,
    "clicks": clicks,
}


def sounds(seconds: float, *, seed: int = 1) -> dict[tuple[str, str], Samples]:
    """Returns every kind of every group, keyed by both names, each `seconds` long."""
    return {
        (group, kind): samples
        for index, (group, make) in enumerate(GROUPS.items())
        for kind, samples in make(np.random.default_rng([seed, index]), seconds).items()
    }


def near_the_voice(seconds: float, *, seed: int) -> list[Samples]:
    """Returns melodies in the range of the voice, of every instrument, some with drums or hiss: what is most easily
    taken for speech."""
    random = np.random.default_rng([seed, len(GROUPS)])
    made: list[Samples] = []
    for instrument in (strings, choir, brass, reed, piano, plucked, flute):
        for centre in (40, 46, 52, 58, 66):
            tune = melody(random, seconds, instrument, centre, float(random.choice([0.25, 0.5])))
            tune /= tune.std() + 1e-9
            beside = random.integers(3)
            if beside == 1:
                tune = tune + 5 * drums(random, seconds, 0.5)
            elif beside == 2:
                tune = tune + 0.1 * random.standard_normal(len(tune))
            made.append(level(tune, float(random.choice([-15, -25, -40]))))
    return made
