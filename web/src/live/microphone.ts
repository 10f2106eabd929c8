/** Which microphone records, and what the browser does to its sound. */
export type MicrophoneChoice = {
  /** As `enumerateDevices` gives it; empty: the system's default. */
  deviceId: string;
  echoCancellation: boolean;
  noiseSuppression: boolean;
  autoGainControl: boolean;
};

/** What browsers do to the sound where they are asked to. */
export const PROCESSING = [
  "echoCancellation",
  "noiseSuppression",
  "autoGainControl",
] as const satisfies (keyof MicrophoneChoice)[];

/** What makes calls pleasant takes away what speech recognition needs: all of it is off unless somebody wants it. */
const DEFAULT: MicrophoneChoice = {
  deviceId: "",
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
};

const STORED = "recordroute.microphone";

export function storedMicrophone(): MicrophoneChoice {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    if (typeof stored !== "object" || stored === null) return DEFAULT;
    const flag = (name: keyof MicrophoneChoice) => Reflect.get(stored, name) === true;
    const deviceId: unknown = Reflect.get(stored, "deviceId");
    return {
      deviceId: typeof deviceId === "string" ? deviceId : "",
      echoCancellation: flag("echoCancellation"),
      noiseSuppression: flag("noiseSuppression"),
      autoGainControl: flag("autoGainControl"),
    };
  } catch {
    // Not what this page wrote.
    return DEFAULT;
  }
}

export function storeMicrophone(choice: MicrophoneChoice): void {
  localStorage.setItem(STORED, JSON.stringify(choice));
}

/** Returns the microphones; without names, or none at all, before the permission was given. */
export async function listMicrophones(): Promise<MediaDeviceInfo[]> {
  if (navigator.mediaDevices === undefined) return [];
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter((device) => device.kind === "audioinput" && device.deviceId !== "");
}
