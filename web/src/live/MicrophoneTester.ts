import { Observable } from "@/lib/observable";
import { type Capture, CaptureError, type CaptureListener } from "./audio/capture";
import { type Hearing, HearingTest, NO_LEVEL } from "./hearing";
import type { MicrophoneChoice } from "./microphone";

/** Some systems give no sound at all where others give silence. */
const NO_SOUND_MS = 3_000;

export type TesterState = {
  phase: "off" | "opening" | "on";
  /** The microphone as the system names it: of the default one, only this tells which it is. */
  deviceName: string;
  hearing: Hearing;
  /** Why it could not be opened, or is not open any more. */
  failure: unknown;
};

const OFF: TesterState = { phase: "off", deviceName: "", hearing: "listening", failure: undefined };

type OpenCapture = (choice: MicrophoneChoice, listener: CaptureListener) => Promise<Capture>;

/** Listens to a microphone without recording it. */
export class MicrophoneTester {
  readonly state = new Observable<TesterState>(OFF);
  readonly level = new Observable(NO_LEVEL);
  readonly #open: OpenCapture;
  #capture: Capture | null = null;
  /** Counts starts and stops: what belongs to an earlier one is not heard any more. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(open: OpenCapture) {
    this.#open = open;
  }

  /** Asks for the microphone, and listens to it in the place of the one before; `failure` tells what goes wrong. */
  async start(choice: MicrophoneChoice): Promise<void> {
    this.stop();
    const turn = this.#turn;
    const isOver = () => turn !== this.#turn;
    const hearing = new HearingTest();
    this.state.set({ ...OFF, phase: "opening" });
    try {
      const capture = await this.#open(choice, {
        onChunk: () => undefined,
        onIdle: () => undefined,
        onLevel: (peak) => {
          if (isOver()) return;
          this.level.set({ peak });
          this.#judge(hearing.add(peak));
        },
        onLost: () => {
          if (!isOver()) this.#end(new CaptureError("noDevice"));
        },
      });
      if (isOver()) return await capture.close();
      this.#capture = capture;
      this.state.update((state) => ({ ...state, phase: "on", deviceName: capture.name }));
      this.#waitForSound();
    } catch (failure) {
      if (!isOver()) this.#end(failure);
    }
  }

  /** Lets go of the microphone at once. */
  stop(): void {
    this.#end(undefined);
  }

  #judge(hearing: Hearing): void {
    if (this.state.get().hearing !== hearing) this.state.update((state) => ({ ...state, hearing }));
    this.#waitForSound();
  }

  #waitForSound(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(
      () => this.state.update((state) => ({ ...state, hearing: "nothing" })),
      NO_SOUND_MS,
    );
  }

  #end(failure: unknown): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
    void this.#capture?.close();
    this.#capture = null;
    this.level.set(NO_LEVEL);
    this.state.set(failure === undefined ? OFF : { ...OFF, failure });
  }
}
