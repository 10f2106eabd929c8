/** Name of the environment variable by which tests find the system: the processes that run them inherit it. */
export const PLACE = "RECORDROUTE_WEB_TESTS";

/** Where the system is that tests/support/global-setup.ts has started. */
export type Place = {
  bridge: string;
  envoy?: string;
  /** A model hub (tests/web/model_hub.py): it has a model that is not installed. */
  hub: string;
  token: string;
  dataDir: string;
  /** WAV file that the fake microphone plays. */
  microphone: string;
};

export function isStarted(): boolean {
  return process.env[PLACE] !== undefined;
}

export function place(): Place {
  const stored = process.env[PLACE];
  if (stored === undefined) throw new Error("the system was not started");
  return JSON.parse(stored);
}
