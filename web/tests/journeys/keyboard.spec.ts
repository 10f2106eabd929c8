import type { Page } from "@playwright/test";
import { addRecording } from "../support/library";
import { speech } from "../support/speech";
import { expect, test } from "../support/test";

/** Presses Tab until an element has the focus, as somebody without a mouse does. */
async function tabTo(
  page: Page,
  role: Parameters<Page["getByRole"]>[0],
  name: string | RegExp,
): Promise<void> {
  const wanted = page.getByRole(role, { name }).first();
  await expect(wanted).toBeVisible();
  for (let step = 0; step < 80; step += 1) {
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${role} ${name}`);
}

test("everything goes by keyboard alone", async ({ signedIn: page, context, system }) => {
  const title = `Keyboard ${Date.now()}`;
  await addRecording(context, { title, file: speech(system.microphone, `${title}.wav`) });
  await page.goto("/");
  await expect(page.getByRole("link", { name: title })).toBeVisible();

  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.locator("main")).toBeFocused();

  await test.step("rename in the list, with F2", async () => {
    await tabTo(page, "link", title);
    await page.keyboard.press("F2");
    await page.keyboard.type(`${title} renamed`);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("link", { name: `${title} renamed` })).toBeFocused();
  });

  await test.step("open it, play and stop", async () => {
    await page.keyboard.press("Enter");
    await expect(page.getByRole("heading", { level: 1, name: `${title} renamed` })).toBeVisible();
    await expect(page.locator("[data-text]").first()).toBeVisible();
    const isPlaying = () => page.locator("audio").evaluate((media: HTMLAudioElement) => !media.paused);
    await page.keyboard.press("Space");
    await expect.poll(isPlaying).toBe(true);
    await page.keyboard.press("Space");
    await expect.poll(isPlaying).toBe(false);
  });

  await test.step("correct a line", async () => {
    await tabTo(page, "button", /^Edit the text at/);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("textbox", { name: /^Text at/ })).toBeFocused();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("Typed without a mouse.");
    await page.keyboard.press("Enter");
    await expect(page.locator("[data-text]").first()).toHaveText("Typed without a mouse.");
  });

  await test.step("find, with the arrow keys from the mode to the box", async () => {
    await tabTo(page, "link", "Find");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("textbox", { name: "Search" })).toBeFocused();
  });
});

test("a menu and a dialog give the focus back", async ({ signedIn: page, context }) => {
  const title = `Focus ${Date.now()}`;
  await addRecording(context, { title, process: false });
  await page.goto("/");
  const menu = page.getByRole("button", { name: `Actions for ${title}` });
  await menu.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menu")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(menu).toBeFocused();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Tags and folder" }).press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(menu).toBeFocused();
});

test("what an icon means is shown to the keyboard and to the mouse, and goes by Escape", async ({
  signedIn: page,
}) => {
  await page.goto("/");
  const bubble = page.locator("[popover]:popover-open");
  const options = page.getByRole("button", { name: "Options for added files" });
  await options.hover();
  await expect(bubble).toHaveText("Options for added files");
  await page.keyboard.press("Escape");
  await expect(bubble).toHaveCount(0);
  await tabTo(page, "button", "Options for added files");
  await expect(bubble).toHaveText("Options for added files");
  const shown = (await bubble.boundingBox()) ?? { x: -1, y: -1, width: 0, height: 0 };
  const about = (await options.boundingBox()) ?? shown;
  expect(shown.x + shown.width).toBeLessThanOrEqual(1280);
  expect(shown.y >= about.y + about.height || shown.y + shown.height <= about.y).toBe(true);
});
