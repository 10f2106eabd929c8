/** The stop band is this many decibels down. */
const ATTENUATION_DB = 80;
/** Up to this part of the band that both rates can carry everything passes unchanged. */
const PASS = 0.85;

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Modified Bessel function of the first kind and order zero, by its power series. */
function bessel0(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > sum * 1e-12; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * Changes the sample rate of a stream: a polyphase filter bank from a sinc under a Kaiser window
 * (J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", 1974). What the lower rate
 * can't carry is at least 80 dB down, so that nothing folds back into the speech.
 */
export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  /** One row of `taps` coefficients for each position between two input samples. */
  readonly #rows: Float32Array;
  /** What the filter still has to see, from the first sample under it on. */
  #input: Float32Array;
  /** How far after that sample's centre the next output lies, in parts of `up`. */
  #phase = 0;

  constructor(from: number, to: number) {
    const divisor = gcd(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    const nyquist = Math.min(from, to) / 2;
    const cutoff = ((1 + PASS) / 2) * (nyquist / from);
    const transition = (1 - PASS) * (nyquist / from) * 2 * Math.PI;
    const half = Math.ceil((ATTENUATION_DB - 8) / (2.285 * transition) / 2);
    const beta = 0.1102 * (ATTENUATION_DB - 8.7);
    this.#taps = 2 * half;
    this.#rows = new Float32Array(this.#up * this.#taps);
    const edge = bessel0(beta);
    for (let phase = 0; phase < this.#up; phase += 1) {
      const row = this.#rows.subarray(phase * this.#taps, (phase + 1) * this.#taps);
      let sum = 0;
      for (let k = 0; k < this.#taps; k += 1) {
        const x = k - half + 1 - phase / this.#up;
        const sinc = x === 0 ? 2 * cutoff : Math.sin(2 * Math.PI * cutoff * x) / (Math.PI * x);
        const window = bessel0(beta * Math.sqrt(Math.max(0, 1 - (x / half) ** 2))) / edge;
        row[k] = sinc * window;
        sum += sinc * window;
      }
      for (let k = 0; k < this.#taps; k += 1) row[k] = (row[k] ?? 0) / sum;
    }
    // The first output sample lies on the first input sample.
    this.#input = new Float32Array(half - 1);
  }

  /** Takes the next samples and returns those that are ready. The last ones wait for what comes after them. */
  process(samples: Float32Array): Float32Array {
    const input = new Float32Array(this.#input.length + samples.length);
    input.set(this.#input);
    input.set(samples, this.#input.length);
    const room = Math.max(
      0,
      Math.ceil(((input.length - this.#taps + 1) * this.#up - this.#phase) / this.#down),
    );
    const output = new Float32Array(room);
    let at = 0;
    let phase = this.#phase;
    let written = 0;
    while (at + this.#taps <= input.length) {
      const row = phase * this.#taps;
      let sum = 0;
      for (let k = 0; k < this.#taps; k += 1) sum += (input[at + k] ?? 0) * (this.#rows[row + k] ?? 0);
      output[written] = sum;
      written += 1;
      phase += this.#down;
      at += Math.floor(phase / this.#up);
      phase %= this.#up;
    }
    this.#phase = phase;
    this.#input = input.subarray(at);
    return written === room ? output : output.subarray(0, written);
  }
}
