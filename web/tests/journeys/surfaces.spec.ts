import type { Page } from "@playwright/test";
import { expectAccessible } from "../support/axe";
import { addRecording } from "../support/library";
import { speech } from "../support/speech";
import { tourLibrary, tourRecording, tourSettings } from "../support/surfaces";
import { expect, test } from "../support/test";
import { texts } from "../support/texts";

/** Themes differ in colours, and devices in what is where: each is looked at once. */
const LOOKS = {
  "on a desktop": { scheme: "light", device: { viewport: { width: 1280, height: 800 } } },
  "on a phone": {
    scheme: "dark",
    device: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  },
} as const;

/** Nothing of what is open lies beyond the window, and nothing in it is wider than it. */
async function expectInWindow(page: Page, name: string): Promise<void> {
  const outside = await page.evaluate(() => {
    const open = document.querySelectorAll("dialog[open], [role=menu], [role=dialog], [role=tabpanel]");
    return [...open].flatMap((element) => {
      const { left, right } = element.getBoundingClientRect();
      const isOutside = left < 0 || right > window.innerWidth || element.scrollWidth > element.clientWidth;
      return isOutside ? [`${element.tagName} ${left}–${right}, ${element.scrollWidth} wide inside`] : [];
    });
  });
  expect.soft(outside, name).toEqual([]);
}

for (const [where, { scheme, device }] of Object.entries(LOOKS))
  test.describe(where, () => {
    test.use(device);

    test("what opens over a page is in nobody's way", async ({ signedIn: page, context, system }) => {
      test.setTimeout(600_000);
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      const title = `Surfaces ${where} ${Date.now()}`;
      const id = await addRecording(context, {
        title,
        file: speech(system.microphone, "surfaces.wav"),
        summary: true,
      });
      const tour = {
        page,
        t: texts("en"),
        isPhone: where === "on a phone",
        recording: { id, title },
        seen: (name: string) =>
          test.step(name, async () => {
            await expectInWindow(page, name);
            await expectAccessible(page, name);
          }),
      };
      await tourLibrary(tour);
      await tourRecording(tour);
      await tourSettings(tour);
    });
  });

for (const scheme of ["light", "dark"] as const)
  test(`nor are an answer and a live session, ${scheme}`, async ({ signedIn: page, context }) => {
    test.setTimeout(600_000);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await addRecording(context, { title: "We decided to open the new library on the third of May" });
    await page.goto("/find?mode=ask");
    await page.getByRole("textbox", { name: "Question" }).fill("When does the new library open?");
    await page.keyboard.press("Enter");
    const answer = page.getByRole("article").first();
    await expect(answer).toHaveAttribute("aria-busy", "false", { timeout: 120_000 });
    await expectAccessible(page);
    await answer
      .getByRole("button", { name: /^Source 1:/ })
      .first()
      .click();
    await expect(page.getByRole("dialog", { name: /^Source 1:/ })).toBeVisible();
    await expectAccessible(page);

    await page.goto("/live");
    await page.getByRole("button", { name: "Start recording" }).click();
    await expect(page.getByRole("region", { name: "Captions" })).toContainText(/country/i, {
      timeout: 60_000,
    });
    await expectAccessible(page);
    await page.getByRole("button", { name: "Bookmark", exact: true }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Stop and save" }).click();
    await expect(page.getByRole("heading", { name: "The recording is saved" })).toBeVisible();
    await expectAccessible(page);
  });
