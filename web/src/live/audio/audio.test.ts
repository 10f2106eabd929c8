import { describe, expect, test } from "vitest";
import { Chunker, peakOf, RATE, toPcm16, wavHeader } from "./pcm";
import { Resampler } from "./resample";

const SECONDS = 0.25;

function sine(frequency: number, rate: number, seconds = SECONDS): Float32Array {
  return Float32Array.from({ length: rate * seconds }, (_, n) =>
    Math.sin((2 * Math.PI * frequency * n) / rate),
  );
}

/** Resamples as the audio thread does: 128 samples at a time. */
function resampled(samples: Float32Array, from: number, to = RATE, piece = 128): Float32Array {
  const resampler = new Resampler(from, to);
  const out: Float32Array[] = [];
  for (let start = 0; start < samples.length; start += piece) {
    out.push(resampler.process(samples.subarray(start, start + piece)));
  }
  return Float32Array.from(out.flatMap((part) => [...part]));
}

/** Root of the mean square without the edges, in decibels relative to a full sine. */
function decibels(samples: Float32Array): number {
  const middle = samples.subarray(samples.length * 0.2, samples.length * 0.8);
  const power = middle.reduce((sum, sample) => sum + sample * sample, 0) / middle.length;
  return 10 * Math.log10(2 * power + 1e-20);
}

describe.each([48_000, 44_100, 96_000, 22_050])("from %i Hz", (rate) => {
  const top = Math.min(rate, RATE) / 2;

  test.each([50, 300, 1000, 3000, 5000, 6700])("%i Hz pass unchanged", (frequency) => {
    const heard = resampled(sine(frequency, rate), rate);
    expect(decibels(heard)).toBeGreaterThan(-0.1);
    expect(decibels(heard)).toBeLessThan(0.1);
    // Neither late nor early: the filter's delay is taken away.
    const wanted = sine(frequency, RATE);
    const error = heard.map((sample, n) => sample - (wanted[n] ?? 0));
    expect(decibels(error)).toBeLessThan(-60);
  });

  test("what the lower rate can't carry does not fold back", () => {
    for (let frequency = top * 1.01; frequency < rate / 2; frequency += 1777) {
      expect(decibels(resampled(sine(frequency, rate), rate)), `${frequency} Hz`).toBeLessThan(-75);
    }
  });

  test("time does not drift", () => {
    const heard = resampled(sine(440, rate, 3), rate);
    expect(heard.length).toBeGreaterThan(RATE * 2.98);
    expect(heard.length).toBeLessThanOrEqual(RATE * 3);
  });
});

test("headsets of 8 kHz are heard as they are, without images", () => {
  const heard = resampled(sine(1000, 8000), 8000);
  const wanted = sine(1000, RATE);
  expect(decibels(heard.map((sample, n) => sample - (wanted[n] ?? 0)))).toBeLessThan(-60);
});

test("the pieces do not matter", () => {
  const input = sine(997, 44_100, 0.2);
  expect(resampled(input, 44_100, RATE, 1)).toEqual(resampled(input, 44_100, RATE, 4096));
});

test("samples become 16 bits, and what is too loud is clipped", () => {
  const bytes = toPcm16(Float32Array.of(0, 1, -1, 2, -2, 0.5));
  const view = new DataView(bytes.buffer);
  const values = [0, 1, 2, 3, 4, 5].map((index) => view.getInt16(2 * index, true));
  expect(values).toEqual([0, 32767, -32767, 32767, -32767, 16384]);
});

test("chunks have equal lengths, and nothing is lost between them", () => {
  const chunker = new Chunker(10);
  const pieces = [3, 10, 1, 25, 4].map((length) => new Float32Array(length).fill(length));
  const full = pieces.flatMap((piece) => chunker.add(piece));
  expect(full.map((chunk) => chunk.length)).toEqual([10, 10, 10, 10]);
  expect([...full.flatMap((chunk) => [...chunk]), ...chunker.take()]).toEqual(
    pieces.flatMap((piece) => [...piece]),
  );
  expect(chunker.take()).toHaveLength(0);
});

test("a chunk length that changes keeps what waits", () => {
  const chunker = new Chunker(10);
  chunker.add(Float32Array.of(1, 2, 3, 4, 5));
  expect(chunker.resize(4)).toEqual([Float32Array.of(1, 2, 3, 4)]);
  expect(chunker.add(Float32Array.of(6, 7, 8))).toEqual([Float32Array.of(5, 6, 7, 8)]);
});

test("the peak is the loudest of both directions", () => {
  expect(peakOf(Float32Array.of(0.1, -0.7, 0.5))).toBeCloseTo(0.7);
  expect(peakOf(new Float32Array(0))).toBe(0);
});

test("the header of a WAV file", () => {
  const header = wavHeader(32_000);
  const view = new DataView(header.buffer);
  const text = (at: number) => new TextDecoder().decode(header.subarray(at, at + 4));
  expect([text(0), text(8), text(12), text(36)]).toEqual(["RIFF", "WAVE", "fmt ", "data"]);
  expect([view.getUint32(4, true), view.getUint32(40, true)]).toEqual([32_036, 32_000]);
  expect([view.getUint16(22, true), view.getUint32(24, true), view.getUint16(34, true)]).toEqual([
    1, 16_000, 16,
  ]);
});
