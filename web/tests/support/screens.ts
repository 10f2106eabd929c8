import { join } from "node:path";
import { type BrowserContext, expect, type Locator, type Page } from "@playwright/test";
import type { Place } from "./place";
import { test } from "./test";
import { texts } from "./texts";

const RAW = join(import.meta.dirname, "../../../build/screenshots");
const DEVICES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
} as const;
const THEMES = ["light", "dark"] as const;
const LANGUAGES = ["en", "ko"] as const;

export type Screen = {
  page: Page;
  context: BrowserContext;
  system: Place;
  language: (typeof LANGUAGES)[number];
  isPhone: boolean;
  t: ReturnType<typeof texts>;
  /** Takes a picture of the window when nothing moves or loads any more. */
  shot: (name: string, ready?: Locator) => Promise<void>;
  button: (folder: string, key: string, values?: Record<string, string | number>) => Locator;
};

async function settle(page: Page, loading: string): Promise<void> {
  await expect(page.getByText(loading, { exact: true })).toHaveCount(0);
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

/** Makes a test for each device, theme and language. */
export function everyLook(title: string, take: (screen: Screen) => Promise<void>): void {
  for (const language of LANGUAGES)
    for (const theme of THEMES)
      for (const [device, options] of Object.entries(DEVICES))
        test.describe(`${device}, ${theme}, ${language}`, () => {
          test.use({
            ...options,
            locale: language,
            colorScheme: theme,
            contextOptions: { reducedMotion: "reduce" },
          });

          test(title, async ({ page, context, system }) => {
            const t = texts(language);
            await take({
              page,
              context,
              system,
              language,
              isPhone: device === "phone",
              t,
              shot: async (name, ready) => {
                if (ready !== undefined) await expect(ready).toBeVisible();
                await settle(page, t("ui", "loading"));
                await page.screenshot({ path: join(RAW, `${name}-${device}-${theme}-${language}.png`) });
              },
              button: (folder, key, values = {}) =>
                page.getByRole("button", { name: t(folder, key, values), exact: true }),
            });
          });
        });
}

type Recording = { id: string; file_name: string };

/** Returns the ids of the recordings by the names of their files. */
export async function recordings(context: BrowserContext): Promise<Map<string, string>> {
  const answer = await (await context.request.get("/history?page_size=100")).json();
  return new Map(answer.recordings.map((one: Recording) => [one.file_name, one.id]));
}
