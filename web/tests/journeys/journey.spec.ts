import { readFileSync } from "node:fs";
import { speech } from "../support/speech";
import { expect, test } from "../support/test";

/** What the recogniser makes of the speech differs by a word here and there; this it always hears. */
const SAID = /ask not what your country can do for you/i;
const CORRECTED = "We decided to open the new library on the third of May.";

test("from a file to an answer that names its place, and back into the bin", async ({
  signedIn: page,
  system,
}) => {
  const title = `Inaugural address ${Date.now()}`;

  await test.step("upload, and watch it being worked on", async () => {
    await page.goto("/");
    await page
      .locator("input[type=file]:not([webkitdirectory])")
      .first()
      .setInputFiles(speech(system.microphone, `${title}.wav`));
    const uploads = page.getByRole("region", { name: "Uploads" });
    await expect(uploads.getByTitle(`${title}.wav`)).toBeVisible();
    await expect(uploads.getByRole("heading", { name: "Everything is uploaded" })).toBeVisible();
    await uploads.getByRole("link", { name: `Open ${title}.wav` }).click();
    await expect(page.locator("[data-text]").first()).toContainText(SAID, { timeout: 90_000 });
  });

  const address = page.url();

  await test.step("click a word, and hear it", async () => {
    const word = page.locator("[data-word]", { hasText: "country" }).first();
    await word.click();
    const player = page.locator("audio, video");
    await expect
      .poll(() => player.evaluate((media: HTMLMediaElement) => !media.paused && media.currentTime))
      .toBeGreaterThan(2);
    const heard = await player.evaluate((media: HTMLMediaElement) => media.currentTime);
    expect(heard).toBeLessThan(16);
    await expect(page.locator("[data-word][data-current]")).toHaveCount(1);
    await page
      .getByRole("region", { name: "Player" })
      .getByRole("button", { name: "Pause", exact: true })
      .click();
  });

  await test.step("correct what was said", async () => {
    await page
      .getByRole("button", { name: /^Edit the text at/ })
      .first()
      .click();
    const editor = page.getByRole("textbox", { name: /^Text at/ });
    await editor.fill(CORRECTED);
    const saved = page.waitForResponse(/EditTranscript$/);
    await editor.press("Enter");
    await expect(page.locator("[data-text]").first()).toHaveText(CORRECTED);
    await (await saved).finished();
    await page.reload();
    await expect(page.locator("[data-text]").first()).toHaveText(CORRECTED);
  });

  await test.step("the search finds the correction, and leads to its second", async () => {
    await page.getByRole("link", { name: "Find" }).click();
    await expect(async () => {
      await page.getByRole("textbox", { name: "Search" }).fill("");
      await page.getByRole("textbox", { name: "Search" }).fill("new library third of May");
      await page.getByRole("textbox", { name: "Search" }).press("Enter");
      await expect(
        page.getByRole("article").filter({ hasText: "library on the third of May" }).first(),
      ).toBeVisible({
        timeout: 3000,
      });
    }).toPass({ timeout: 60_000 });
    await page.getByRole("article").first().getByRole("link").first().click();
    await expect(page).toHaveURL(/\/recordings\/[-0-9a-f]+\?t=/);
    expect(new URL(page.url()).pathname).toBe(new URL(address).pathname);
  });

  await test.step("ask, and follow a citation", async () => {
    await page.goto("/find?mode=ask");
    await page.getByRole("textbox", { name: "Question" }).fill("When does the new library open?");
    await page.getByRole("textbox", { name: "Question" }).press("Enter");
    const answer = page.getByRole("article").first();
    await expect(answer).toContainText("May", { timeout: 90_000 });
    await answer
      .getByRole("button", { name: /^Source 1:/ })
      .first()
      .click();
    const source = page.getByRole("dialog", { name: /^Source 1:/ });
    await expect(source).toContainText(CORRECTED);
    await source.getByRole("link").first().click();
    await expect(page.locator("[data-text]").first()).toHaveText(CORRECTED);
    expect(new URL(page.url()).pathname).toBe(new URL(address).pathname);
  });

  await test.step("export", async () => {
    await page.getByRole("button", { name: "Export" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: "Subtitles (.srt)" }).click();
    const file = await (await download).path();
    expect(readFileSync(file, "utf8")).toContain(CORRECTED);
  });

  await test.step("into the bin, and out again", async () => {
    await page.getByRole("button", { name: "More", exact: true }).first().click();
    await page.getByRole("menuitem", { name: "Delete" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Library" })).toBeVisible();
    const row = page
      .getByRole("list", { name: "Recordings" })
      .locator(`a[href="${new URL(address).pathname}"]`);
    await expect(row).toHaveCount(0);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(row).toBeVisible();
  });
});
