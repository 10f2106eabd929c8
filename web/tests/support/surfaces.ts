import { expect, type Locator, type Page } from "@playwright/test";
import type { texts } from "./texts";

/** Told about each surface while it is open. */
export type Seen = (name: string, surface: Locator) => Promise<void>;

export type Tour = {
  page: Page;
  t: ReturnType<typeof texts>;
  isPhone: boolean;
  /** One with speech, speakers and minutes. */
  recording: { id: string; title: string };
  seen: Seen;
};

/** What opens over a page, by what the page's own dictionaries call it. */
class Surfaces {
  readonly menu: Locator;
  readonly dialog: Locator;
  readonly #page: Page;
  readonly #t: Tour["t"];
  readonly #seen: Seen;

  constructor({ page, t, seen }: Tour) {
    this.#page = page;
    this.#t = t;
    this.#seen = seen;
    this.menu = page.getByRole("menu");
    this.dialog = page.getByRole("dialog");
  }

  button(folder: string, key: string, values: Record<string, string | number> = {}): Locator {
    return this.#page.getByRole("button", { name: this.#t(folder, key, values), exact: true });
  }

  /** Opens, shows, closes by Escape. */
  async see(name: string, opener: Locator, surface: Locator): Promise<void> {
    await opener.click();
    await expect(surface).toBeVisible();
    await this.#seen(name, surface);
    await this.close(surface);
  }

  async close(surface: Locator): Promise<void> {
    // The first Escape may be a tooltip's.
    await expect(async () => {
      await this.#page.keyboard.press("Escape");
      await expect(surface).toBeHidden({ timeout: 1000 });
    }).toPass();
  }

  /** What an entry of a menu opens. */
  async seeByMenu(name: string, menu: Locator, entry: string, surface: Locator): Promise<void> {
    await menu.click();
    await this.see(name, this.menu.getByRole("menuitem", { name: entry, exact: true }), surface);
  }
}

/** Everything that opens over the library. */
export async function tourLibrary(tour: Tour): Promise<void> {
  const { page, t, recording } = tour;
  const on = new Surfaces(tour);
  await page.goto("/");
  const actions = on.button("library", "menuOf", { title: recording.title });
  await on.see("library-menu", actions, on.menu);
  await on.seeByMenu("library-labels", actions, t("library", "labels"), on.dialog);
  await on.seeByMenu("library-share", actions, t("library", "share"), on.dialog);
  await on.seeByMenu("library-process", actions, t("library", "processAgain"), on.dialog);
  await on.see("library-sort", page.getByRole("search").getByRole("button").last(), on.menu);
  await on.see("library-options", on.button("library", "addOptions"), on.dialog);
}

/** The parts of a recording's page, and everything that opens over it. */
export async function tourRecording(tour: Tour): Promise<void> {
  const { page, t, isPhone, recording, seen } = tour;
  const on = new Surfaces(tour);
  const tab = (folder: string, key: string) => page.getByRole("tab", { name: t(folder, key), exact: true });
  await page.goto(`/recordings/${recording.id}`);
  const row = page.locator("[data-segment]").first();
  const time = (await row.locator("time").first().textContent()) ?? "";

  await on.see("recording-export", on.button("recording", "export"), on.menu);
  const more = on.button("recording", "more").first();
  await on.see("recording-more", more, on.menu);
  await on.seeByMenu("recording-labels", more, t("recording", "labels"), on.dialog);
  await on.seeByMenu("recording-history", more, t("recording", "history"), on.dialog);
  await row.hover();
  await on.see("recording-line", on.button("recording", "segmentMenu", { time }), on.menu);
  const speaker = row.getByRole("button", { name: t("recording", "renameSpeakerShort") });
  await speaker.click();
  await on.dialog.getByRole("textbox").fill("Anna");
  await expect(on.dialog.getByRole("checkbox")).toBeVisible();
  await seen("recording-speaker", on.dialog);
  await on.close(on.dialog);
  await on.see("recording-view", on.button("recording", "view"), on.dialog);

  await on.button("recording", "find").click();
  const find = page.getByRole("search");
  await find.getByRole("searchbox").fill("the");
  await on.button("recording", "replace").click();
  await find.getByRole("textbox", { name: t("recording", "replaceWith") }).fill("a");
  await expect(find.getByRole("status")).not.toBeEmpty();
  await seen("recording-find", find);
  await on.close(find);

  await on.see("recording-speed", on.button("recording", "speedIs", { rate: 1 }), on.menu);
  const bookmarks = t("recording", "bookmarksCount_other", { count: "\\d+" });
  await on.see("recording-bookmarks", page.getByRole("button", { name: new RegExp(bookmarks) }), on.dialog);
  if (isPhone) await on.see("recording-player", on.button("recording", "playerMore"), on.menu);
  await page.keyboard.press("?");
  await expect(on.dialog).toBeVisible();
  await seen("recording-keys", on.dialog);
  await on.close(on.dialog);

  for (const part of ["similar", "details"] as const) {
    await tab("recording", part).click();
    await seen(`recording-${part}`, page.getByRole("tabpanel"));
  }
  await tab("recording", "minutes").click();
  await on.see("recording-minutes-copy", on.button("recording/minutes", "copy"), on.menu);
  await on.see("recording-minutes-make", on.button("recording/minutes", "makeAgain"), on.dialog);
}

/** Puts what nobody takes for a real key in the place of one, as long as it: pictures of it are published. */
function hideSecret(element: Element): void {
  const secret = element.textContent ?? "";
  element.textContent = `rrk_${"example-".repeat(secret.length)}`.slice(0, secret.length);
}

/** Everything that opens over the settings. A key that is made is revoked again. */
export async function tourSettings(tour: Tour): Promise<void> {
  const { page, t, seen } = tour;
  const on = new Surfaces(tour);
  await page.goto("/settings/templates");
  await on.see("settings-templates-new", on.button("settings", "newTemplate"), on.dialog);
  const builtIn = page.getByRole("list", { name: t("settings", "builtInTemplates") });
  await on.see("settings-templates-view", builtIn.getByRole("button").first(), on.dialog);

  await page.goto("/settings/webhooks");
  await on.see("settings-webhooks-new", on.button("settings", "newWebhook"), on.dialog);

  await page.goto("/settings/keys");
  const name = "Calendar";
  await on.button("settings", "newKey").click();
  await on.dialog.getByLabel(t("settings", "keyName"), { exact: true }).fill(name);
  await seen("settings-keys-new", on.dialog);
  await on.dialog.getByRole("button", { name: t("settings", "makeKey") }).click();
  await expect(on.dialog.getByRole("heading", { name: t("settings", "keyMade") })).toBeVisible();
  await on.dialog.locator("code").evaluate(hideSecret);
  await seen("settings-keys-made", on.dialog);
  await on.dialog.getByRole("button", { name: t("settings", "secretKept") }).click();
  await on.button("settings", "revokeKey", { name }).click();
  await expect(on.dialog).toBeVisible();
  await seen("settings-keys-revoke", on.dialog);
  await on.dialog.getByRole("button", { name: t("settings", "revoke"), exact: true }).click();
  await expect(on.dialog).toBeHidden();

  await page.goto("/settings/models");
  const remove = t("settings", "removeModel", { model: "all-minilm-l6-v2" });
  await on.see("settings-models-remove", page.getByRole("button", { name: remove, exact: true }), on.dialog);
}
