import type { MicrophoneChoice } from "../microphone";
import { type FromProcessor, PROCESSOR, type ToProcessor } from "./messages";
import { RATE } from "./pcm";
import processorUrl from "./processor.ts?worker&url";

/** How long the last samples may take from the audio thread to the page. */
const FLUSH_MS = 1000;
/** How long the browser's sound may take to begin. */
const START_MS = 10_000;

/** What is recorded: the sound of a tab or of the whole system is for meetings and videos. */
export const SOURCES = ["microphone", "both", "tab"] as const;
export type Source = (typeof SOURCES)[number];

export type CaptureProblem =
  /** The page does not come by HTTPS or from this machine: browsers give no microphone then. */
  | "insecure"
  /** The browser can't do it. */
  | "unsupported"
  | "denied"
  | "noDevice"
  /** Another program has it, or the system does not give it. */
  | "busy"
  /** Nothing was chosen to be shared. */
  | "notShared"
  /** What was chosen has no sound. */
  | "noSound"
  /** The browser's sound does not begin: Firefox takes its time from an output, and there is none. */
  | "noOutput";

export class CaptureError extends Error {
  constructor(readonly problem: CaptureProblem) {
    super(problem);
  }
}

export type CaptureListener = {
  onChunk: (audio: Uint8Array<ArrayBuffer>) => void;
  /** The largest absolute value of the last 50 ms. */
  onLevel: (peak: number) => void;
  /** Nothing was recorded for a while, by intention. */
  onIdle: () => void;
  /** A device is gone, or the person has stopped to share it: the only one, or one of several. */
  onLost: (isAll: boolean) => void;
};

export function canShareSound(): boolean {
  return (
    typeof navigator.mediaDevices?.getDisplayMedia === "function" && !/Mobi|Android/.test(navigator.userAgent)
  );
}

function problemOf(error: unknown): CaptureProblem {
  if (!(error instanceof DOMException)) return "unsupported";
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "noDevice";
    case "NotReadableError":
    case "AbortError":
      return "busy";
    default:
      return "unsupported";
  }
}

async function openTab(): Promise<MediaStream> {
  let shared: MediaStream;
  try {
    // Browsers share no sound without a picture, and some options are known to some of them only.
    const wanted = { video: true, audio: true, systemAudio: "include" };
    shared = await navigator.mediaDevices.getDisplayMedia(wanted);
  } catch (error) {
    throw new CaptureError(problemOf(error) === "denied" ? "notShared" : problemOf(error));
  }
  for (const track of shared.getVideoTracks()) track.stop();
  if (shared.getAudioTracks().length === 0) throw new CaptureError("noSound");
  return shared;
}

async function openMicrophone(choice: MicrophoneChoice): Promise<MediaStream> {
  const { deviceId, ...processing } = choice;
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: {
        ...processing,
        channelCount: 1,
        ...(deviceId === "" ? {} : { deviceId: { ideal: deviceId } }),
      },
    });
  } catch (error) {
    throw new CaptureError(problemOf(error));
  }
}

async function refuseAfter(milliseconds: number): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  throw new CaptureError("noOutput");
}

/** Connects the streams to a processor in a context of the browser's choice, or at the rate that is wanted. */
async function connect(streams: MediaStream[], options: AudioContextOptions): Promise<AudioWorkletNode> {
  const context = new AudioContext({ ...options, latencyHint: "balanced" });
  try {
    const sources = streams.map((stream) => context.createMediaStreamSource(stream));
    await context.audioWorklet.addModule(processorUrl);
    const node = new AudioWorkletNode(context, PROCESSOR, {
      channelCount: 1,
      channelCountMode: "explicit",
      channelInterpretation: "speakers",
    });
    for (const source of sources) source.connect(node);
    // It is silent; some browsers run only what leads somewhere.
    node.connect(context.destination);
    await Promise.race([context.resume(), refuseAfter(START_MS)]);
    return node;
  } catch (error) {
    await context.close();
    throw error;
  }
}

function hasEnded(track: MediaStreamTrack): boolean {
  return track.readyState === "ended";
}

/** Sound from the microphone, a tab, or both, as chunks of 16 kHz mono PCM. */
export class Capture {
  readonly #streams: MediaStream[];
  readonly #node: AudioWorkletNode;
  #onPaused: (() => void) | undefined;

  private constructor(streams: MediaStream[], node: AudioWorkletNode, listener: CaptureListener) {
    this.#streams = streams;
    this.#node = node;
    node.port.onmessage = ({ data }: MessageEvent<FromProcessor>) => {
      if (data.kind === "chunk") listener.onChunk(data.audio);
      else if (data.kind === "level") listener.onLevel(data.peak);
      else if (data.kind === "idle") listener.onIdle();
      else this.#onPaused?.();
    };
    for (const track of this.#tracks) {
      track.addEventListener("ended", () => listener.onLost(this.#tracks.every(hasEnded)));
    }
    const { context } = node;
    context.addEventListener("statechange", () => {
      // A telephone call, or headphones that went away, can stop it.
      if (context instanceof AudioContext && context.state !== "running" && context.state !== "closed") {
        void context.resume();
      }
    });
  }

  /** Asks for what is to be recorded, and begins. Throws CaptureError. */
  static async open(source: Source, choice: MicrophoneChoice, listener: CaptureListener): Promise<Capture> {
    if (!window.isSecureContext) throw new CaptureError("insecure");
    if (navigator.mediaDevices === undefined || !("AudioWorkletNode" in window)) {
      throw new CaptureError("unsupported");
    }
    const streams: MediaStream[] = [];
    try {
      // The tab first: browsers ask for it only right after a click.
      if (source !== "microphone") streams.push(await openTab());
      if (source !== "tab") streams.push(await openMicrophone(choice));
      const node = await connect(streams, { sampleRate: RATE }).catch((error: unknown) => {
        // Firefox does not resample what comes from a device: the processor does it then.
        if (error instanceof DOMException && error.name === "NotSupportedError") return connect(streams, {});
        throw error;
      });
      return new Capture(streams, node, listener);
    } catch (error) {
      for (const track of streams.flatMap((stream) => stream.getTracks())) track.stop();
      throw error;
    }
  }

  /** What is recorded, as the system names it. */
  get name(): string {
    return this.#tracks
      .filter((track) => !hasEnded(track))
      .map((track) => track.label)
      .join(" + ");
  }

  pause(): void {
    this.#order({ kind: "pause" });
    for (const track of this.#tracks) track.enabled = false;
  }

  resume(): void {
    for (const track of this.#tracks) track.enabled = true;
    this.#order({ kind: "resume" });
  }

  setChunkSeconds(seconds: number): void {
    this.#order({ kind: "length", samples: Math.round(seconds * RATE) });
  }

  /** Returns when everything that was heard has come. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onPaused = resolve;
      setTimeout(resolve, FLUSH_MS);
      this.#order({ kind: "pause" });
    });
    await this.close();
  }

  /** Lets go of the devices at once: what was heard and has not come is lost. */
  async close(): Promise<void> {
    this.#node.port.onmessage = null;
    for (const track of this.#tracks) track.stop();
    const { context } = this.#node;
    if (context instanceof AudioContext) await context.close();
  }

  get #tracks(): MediaStreamTrack[] {
    return this.#streams.flatMap((stream) => stream.getAudioTracks());
  }

  #order(order: ToProcessor): void {
    this.#node.port.postMessage(order);
  }
}
