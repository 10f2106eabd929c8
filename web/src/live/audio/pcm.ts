/** Sample rate of what is sent: what speech recognition hears. */
export const RATE = 16_000;
export const SAMPLE_BYTES = 2;

/** Writes samples of full scale -1 to 1 as signed 16-bit little-endian ones. */
export function toPcm16(samples: Float32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(samples.length * SAMPLE_BYTES);
  const view = new DataView(bytes.buffer);
  samples.forEach((sample, index) => {
    const clipped = Math.max(-1, Math.min(1, sample));
    view.setInt16(index * SAMPLE_BYTES, Math.round(clipped * 0x7fff), true);
  });
  return bytes;
}

/** Returns the largest absolute value. */
export function peakOf(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}

/** Cuts a stream of samples into pieces of equal length. */
export class Chunker {
  #waiting: Float32Array;
  #filled = 0;

  constructor(length: number) {
    this.#waiting = new Float32Array(length);
  }

  /** Pieces from now on have this length; what waits is kept, and returned where it is a piece already. */
  resize(length: number): Float32Array[] {
    const waiting = this.take();
    this.#waiting = new Float32Array(length);
    return this.add(waiting);
  }

  /** Returns the pieces that have become full. */
  add(samples: Float32Array): Float32Array[] {
    const full: Float32Array[] = [];
    let read = 0;
    while (read < samples.length) {
      const part = samples.subarray(read, read + this.#waiting.length - this.#filled);
      this.#waiting.set(part, this.#filled);
      this.#filled += part.length;
      read += part.length;
      if (this.#filled === this.#waiting.length) full.push(this.take());
    }
    return full;
  }

  /** Returns what waits, which may be nothing. */
  take(): Float32Array {
    const taken = this.#waiting.slice(0, this.#filled);
    this.#filled = 0;
    return taken;
  }
}

/** Returns the 44 bytes before mono PCM of `bytes` bytes in a WAV file. */
export function wavHeader(bytes: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(44);
  const view = new DataView(header.buffer);
  const text = (at: number, letters: string) => header.set(new TextEncoder().encode(letters), at);
  text(0, "RIFF");
  view.setUint32(4, 36 + bytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * SAMPLE_BYTES, true);
  view.setUint16(32, SAMPLE_BYTES, true);
  view.setUint16(34, 8 * SAMPLE_BYTES, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return header;
}
