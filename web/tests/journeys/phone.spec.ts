import { addRecording } from "../support/library";
import { speech } from "../support/speech";
import { expect, test } from "../support/test";

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

test("on a phone: the bar below, the parts of a recording as tabs, and room for the thumb", async ({
  signedIn: page,
  context,
  system,
}) => {
  const title = `Phone ${Date.now()}`;
  await addRecording(context, { title, file: speech(system.microphone, `${title}.wav`) });
  await page.goto("/");
  const bar = page.getByRole("navigation", { name: "Main navigation" });
  const box = await bar.boundingBox();
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeGreaterThan(800);
  for (const link of await bar.getByRole("link").all()) {
    const { width = 0, height = 0 } = (await link.boundingBox()) ?? {};
    expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
  }
  await page.getByRole("link", { name: title }).tap();
  await page.getByRole("tab", { name: "Transcript" }).tap();
  await expect(page.locator("[data-text]").first()).toBeVisible();
  await page.locator("[data-word]").nth(3).tap();
  await expect
    .poll(() => page.locator("audio").evaluate((media: HTMLAudioElement) => media.currentTime))
    .toBeGreaterThan(0.3);
  await page.getByRole("tab", { name: "Minutes" }).tap();
  await expect(page.getByRole("tabpanel")).toBeVisible();
});
