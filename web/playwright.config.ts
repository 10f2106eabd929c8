import { defineConfig } from "@playwright/test";
import { isStarted, place } from "./tests/support/place";
import type { Options } from "./tests/support/test";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** The fake microphone plays its file once; the file is there when this is read by the process that runs the tests. */
function microphone(): string[] {
  return isStarted() ? [`--use-file-for-fake-audio-capture=${place().microphone}%noloop`] : [];
}

/**
 * `npx playwright test --project=bridge` starts the whole system (tests/support/global-setup.ts) and drives Debian's
 * Chromium against it. The same tests run once more through Envoy: `--project=envoy`.
 */
export default defineConfig<Options>({
  testDir: "tests",
  outputDir: "../build/web-tests",
  globalSetup: "./tests/support/global-setup.ts",
  // One system and two cores: tests side by side would only wait for each other.
  workers: 1,
  timeout: 240_000,
  expect: { timeout: 30_000 },
  reporter: [["list"]],
  use: {
    locale: "en-GB",
    timezoneId: "Europe/London",
    viewport: { width: 1280, height: 800 },
    actionTimeout: 30_000,
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        // Playback is started by scripts here, too.
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        ...microphone(),
      ],
    },
  },
  projects: [
    { name: "bridge", testMatch: /journeys\/.*\.spec\.ts/, use: { front: "bridge" } },
    { name: "envoy", testMatch: /journeys\/.*\.spec\.ts/, use: { front: "envoy" } },
    { name: "screenshots", testMatch: /screenshots\/.*\.spec\.ts/, use: { front: "bridge" } },
  ],
});
