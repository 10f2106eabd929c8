import { type FromProcessor, PROCESSOR, type ToProcessor } from "./messages";
import { Chunker, peakOf, RATE, toPcm16 } from "./pcm";
import { Resampler } from "./resample";

// The scope of worklets is in no library of TypeScript.
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const CHUNK_SAMPLES = RATE / 5;
const LEVEL_SAMPLES = RATE / 20;
/** A third of the time after which the server ends a session that nobody sends to. */
const IDLE_SECONDS = 20;

/** Runs in the browser's audio thread: makes chunks of 16 kHz mono PCM of whatever it hears. */
class CaptureProcessor extends AudioWorkletProcessor {
  #resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE);
  #chunks = new Chunker(CHUNK_SAMPLES);
  #levels = new Chunker(LEVEL_SAMPLES);
  #paused = false;
  #idleSamples = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<ToProcessor>) => this.#obey(data);
  }

  process([input]: Float32Array[][], [output]: Float32Array[][]): boolean {
    const heard = input?.[0];
    if (this.#paused) this.#idle(output?.[0]?.length ?? 0);
    if (heard === undefined || this.#paused) return true;
    const samples = this.#resampler === null ? heard : this.#resampler.process(heard);
    for (const level of this.#levels.add(samples)) this.#tell({ kind: "level", peak: peakOf(level) });
    for (const chunk of this.#chunks.add(samples)) this.#send(chunk);
    return true;
  }

  #obey(order: ToProcessor): void {
    switch (order.kind) {
      case "pause":
        this.#paused = true;
        this.#send(this.#chunks.take());
        this.#tell({ kind: "paused" });
        break;
      case "resume":
        this.#paused = false;
        break;
      case "length":
        for (const chunk of this.#chunks.resize(order.samples)) this.#send(chunk);
        break;
    }
  }

  #idle(samples: number): void {
    this.#idleSamples += samples;
    if (this.#idleSamples < IDLE_SECONDS * sampleRate) return;
    this.#idleSamples = 0;
    this.#tell({ kind: "idle" });
  }

  #send(samples: Float32Array): void {
    if (samples.length === 0) return;
    const audio = toPcm16(samples);
    this.port.postMessage({ kind: "chunk", audio } satisfies FromProcessor, [audio.buffer]);
  }

  #tell(message: FromProcessor): void {
    this.port.postMessage(message);
  }
}

registerProcessor(PROCESSOR, CaptureProcessor);
