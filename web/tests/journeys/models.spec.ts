import { addRecording } from "../support/library";
import { speech } from "../support/speech";
import { expect, test } from "../support/test";

/** What the system begins with, and what only the hub has (tests/web/serve.py). */
const FIRST = "faster-whisper-tiny.en";
const OTHER = "faster-whisper-base";

test("a model is installed, watched, cancelled, used, and removed again", async ({
  signedIn: page,
  context,
  system,
}) => {
  const tell = (word: "hold" | "fail" | "go") => context.request.post(`${system.hub}/${word}`);
  const row = page.getByRole("listitem").filter({ hasText: OTHER });
  const install = page.getByRole("button", { name: `Install: ${OTHER}` });
  const bar = page.getByRole("progressbar", { name: `Installing ${OTHER}` });
  const percent = async () => Number(await bar.getAttribute("aria-valuenow"));
  await page.goto("/settings/models");

  await test.step("a hub that does not answer", async () => {
    await tell("fail");
    await install.click();
    await expect(row.getByRole("alert")).toHaveText(/could not be downloaded/, { timeout: 60_000 });
    await expect(install).toBeVisible();
  });

  await test.step("how far it is, also for who comes back", async () => {
    await tell("go");
    await tell("hold");
    await install.click();
    await expect.poll(percent, { timeout: 60_000 }).toBeGreaterThan(40);
    await expect(row.getByRole("alert")).toHaveCount(0);
    await page.getByRole("link", { name: "Library", exact: true }).click();
    await page.goBack();
    await expect.poll(percent).toBeGreaterThan(40);
    expect(await percent()).toBeLessThan(60);
  });

  await test.step("cancelled, it goes on later where it was", async () => {
    await row.getByRole("button", { name: "Cancel" }).click();
    await expect(bar).toHaveCount(0);
    await expect(row.getByRole("alert")).toHaveCount(0);
    await expect(install).toBeFocused();
    await install.click();
    await expect.poll(percent, { timeout: 60_000 }).toBeGreaterThan(40);
    await tell("go");
    await expect(row.getByText("Installed", { exact: true })).toBeVisible({ timeout: 60_000 });
  });

  await test.step("used from now on, without a restart", async () => {
    await page.getByRole("button", { name: `Use ${OTHER}` }).click();
    await expect(row.getByText("In use", { exact: true })).toBeVisible();
    await expect(page.getByRole("button", { name: `Remove ${OTHER}` })).toHaveCount(0);
    const title = `By another model ${Date.now()}`;
    const id = await addRecording(context, { title, file: speech(system.microphone, `${title}.wav`) });
    await page.goto(`/recordings/${id}`);
    await page.getByRole("tab", { name: "Details" }).click();
    await expect(page.getByRole("tabpanel", { name: "Details" })).toContainText(OTHER);
  });

  await test.step("back to the first, and off the disk", async () => {
    await page.goto("/settings/models");
    await page.getByRole("button", { name: `Use ${FIRST}` }).click();
    await page.getByRole("button", { name: `Remove ${OTHER}` }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await expect(install).toBeVisible();
    // Whoever works by keyboard is not thrown back to the top of the page.
    await expect(install).toBeFocused();
  });
});
