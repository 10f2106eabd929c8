import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { BrowserContext, Locator, Page } from "@playwright/test";
import { speech } from "../support/speech";
import { expect, signIn, test } from "../support/test";
import { texts } from "../support/texts";

const ROOT = join(import.meta.dirname, "../../..");
const RAW = join(ROOT, "build/screenshots");
const DEVICES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
} as const;
const THEMES = ["light", "dark"] as const;
const LANGUAGES = ["en", "ko"] as const;
const SECTIONS = [
  "general",
  "models",
  "vocabulary",
  "templates",
  "voices",
  "keys",
  "webhooks",
  "system",
  "session",
];
const QUESTION = { en: "When does the new library open?", ko: "새 도서관은 언제 개관합니까?" };

test.setTimeout(900_000);

type Recording = { id: string; file_name: string };

async function recordings(context: BrowserContext): Promise<Map<string, string>> {
  const answer = await (await context.request.get("/history?page_size=100")).json();
  return new Map(answer.recordings.map((one: Recording) => [one.file_name, one.id]));
}

/** Opens the session of a user who has no recordings. */
async function signInAsNewcomer(context: BrowserContext, dataDir: string): Promise<void> {
  const command = [
    "keys",
    "create",
    "Newcomer",
    "--user",
    "newcomer",
    "--scope",
    "read",
    "--scope",
    "write",
    "--json",
  ];
  const made = execFileSync(join(ROOT, ".venv/bin/recordroute"), command, {
    env: { ...process.env, RECORDROUTE_DATA_DIR: dataDir },
    encoding: "utf8",
  });
  await signIn(context, JSON.parse(made).secret);
}

/** Waits until nothing moves or loads any more. */
async function settle(page: Page, loading: string): Promise<void> {
  await expect(page.getByText(loading, { exact: true })).toHaveCount(0);
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  });
}

for (const language of LANGUAGES)
  for (const theme of THEMES)
    for (const [device, options] of Object.entries(DEVICES)) {
      test.describe(`${device}, ${theme}, ${language}`, () => {
        test.use({
          ...options,
          locale: language,
          colorScheme: theme,
          contextOptions: { reducedMotion: "reduce" },
        });

        test("every screen", async ({ page, context, system }) => {
          const t = texts(language);
          const shot = async (name: string, ready?: Locator) => {
            if (ready !== undefined) await expect(ready).toBeVisible();
            await settle(page, t("ui", "loading"));
            await page.screenshot({ path: join(RAW, `${name}-${device}-${theme}-${language}.png`) });
          };
          const button = (folder: string, key: string, values = {}) =>
            page.getByRole("button", { name: t(folder, key, values), exact: true });
          const heading = page.getByRole("heading", { level: 1 });

          await page.goto("/");
          await shot("sign-in", heading);

          await signInAsNewcomer(context, system.dataDir);
          await page.goto("/");
          await shot("library-empty", page.getByText(t("library", "emptyLibrary")));

          await signIn(context, system.token);
          const ids = await recordings(context);
          const meeting = ids.get("sample.flac");

          await page.goto("/");
          const list = page.getByRole("list", { name: t("library", "listOf") });
          await shot("library", list);
          await button("library", "filter").click();
          await shot("library-filter", page.getByRole("dialog"));
          await page.keyboard.press("Escape");
          await list.getByRole("checkbox").nth(1).check();
          await list.getByRole("checkbox").nth(2).check();
          await shot("library-selected", page.getByRole("region", { name: t("library", "selection") }));
          await page.route("**/UploadChunk", () => new Promise(() => {}));
          await page.goto("/");
          await page
            .locator("input[type=file]:not([webkitdirectory])")
            .first()
            .setInputFiles([
              speech(system.microphone, "board-meeting.wav"),
              speech(system.microphone, "interview.wav"),
            ]);
          const uploads = page.getByRole("region", { name: t("uploads", "title") });
          await shot("library-uploading", uploads.getByRole("progressbar").first());
          for (const name of ["board-meeting.wav", "interview.wav"])
            await uploads.getByRole("button", { name: t("uploads", "cancel", { name }) }).click();
          await page.unroute("**/UploadChunk");
          await page.goto("/?bin=1");
          await shot("bin", heading);

          const peaks = page.waitForResponse(/GetWaveform$/);
          await page.goto(`/recordings/${meeting}`);
          await (await peaks).finished();
          const line = page.locator("[data-text]").first();
          await shot("recording", line);
          if (device === "phone") {
            await page.getByRole("tab", { name: t("recording", "minutes") }).click();
            await shot("recording-minutes", page.getByRole("tabpanel"));
            await page.getByRole("tab", { name: t("recording", "transcript") }).click();
          }
          await page.locator("[data-word]").nth(5).click();
          // Edits the line that is heard: on phones it is in a menu only.
          await page.keyboard.press("e");
          await shot(
            "recording-edit",
            page.getByRole("textbox", { name: t("recording", "segmentText", { time: "0:00" }) }),
          );
          await page.keyboard.press("Escape");
          await page.getByRole("tab", { name: t("recording", "details") }).click();
          await shot("recording-details", page.getByRole("tabpanel"));
          const document = ids.get(`weekly-${language}.txt`);
          await page.goto(`/recordings/${document}`);
          await shot("recording-document", page.locator("[data-text]").first());

          await page.goto("/find");
          await shot("find", heading);
          await page.goto(
            `/find?q=${encodeURIComponent(language === "ko" ? "도서관 개관" : "library opening")}`,
          );
          await shot("find-results", page.getByRole("article").first());
          await page.goto(`/find?mode=ask&q=${encodeURIComponent(QUESTION[language])}`);
          const answer = page.getByRole("article").first();
          await expect(answer).toHaveAttribute("aria-busy", "false", { timeout: 120_000 });
          await shot("find-answer", answer);

          await page.goto("/live");
          await shot("live", button("live", "start"));
          await button("live", "start").click();
          const captions = page.getByRole("region", { name: t("live", "captions") });
          await expect(captions).toContainText(/country/i, { timeout: 60_000 });
          await shot("live-session");
          await button("live", "stop").click();
          await shot("live-saved", page.getByText(t("live", "doneTitle")));
          const made = page.getByRole("link", { name: t("live", "openRecording") });
          const recorded = (await made.getAttribute("href"))?.split("/").pop();

          await page.goto("/activity");
          await shot("activity", heading);
          for (const section of SECTIONS) {
            await page.goto(`/settings/${section}`);
            await shot(`settings-${section}`, heading);
          }

          // The next pass finds the library as this one did.
          await page.goto(`/recordings/${recorded}`);
          await button("recording", "more").first().click();
          await page.getByRole("menuitem", { name: t("recording", "delete") }).click();
          await expect(page).toHaveURL(/\/$/);
        });
      });
    }
