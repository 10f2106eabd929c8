import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { BrowserContext } from "@playwright/test";
import { everyLook, recordings } from "../support/screens";
import { speech } from "../support/speech";
import { expect, signIn, test } from "../support/test";

const ROOT = join(import.meta.dirname, "../../..");
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

everyLook("every screen", async ({ page, context, system, language, isPhone, t, shot, button }) => {
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
  if (isPhone) {
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
  const document = ids.get(`weekly-${language}.txt`);
  await page.goto(`/recordings/${document}`);
  await shot("recording-document", page.locator("[data-text]").first());

  await page.goto("/find");
  await shot("find", heading);
  await page.goto(`/find?q=${encodeURIComponent(language === "ko" ? "도서관 개관" : "library opening")}`);
  await shot("find-results", page.getByRole("article").first());
  await button("search", "filters").click();
  await shot("find-filter", page.getByRole("dialog"));
  await page.goto(`/find?mode=ask&q=${encodeURIComponent(QUESTION[language])}`);
  const answer = page.getByRole("article").first();
  await expect(answer).toHaveAttribute("aria-busy", "false", { timeout: 120_000 });
  await shot("find-answer", answer);
  const source = t("search", "citation", { number: 1, title: "" }).trim();
  await answer.getByRole("button", { name: source }).first().click();
  await shot("find-source", page.getByRole("dialog", { name: source }));

  await page.goto("/live");
  await shot("live", button("live", "start"));
  await button("live", "start").click();
  const captions = page.getByRole("region", { name: t("live", "captions") });
  await expect(captions).toContainText(/country/i, { timeout: 60_000 });
  await shot("live-session");
  await button("live", "bookmark").click();
  await shot("live-bookmark", page.getByRole("dialog"));
  await page.keyboard.press("Escape");
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

  const model = "faster-whisper-tiny.en";
  await context.request.post(`${system.hub}/hold`);
  await page.goto("/settings/models");
  await page.getByRole("button", { name: `${t("settings", "pull")}: ${model}` }).click();
  const bar = page.getByRole("progressbar", { name: t("settings", "pullOf", { model }) });
  await expect.poll(async () => Number(await bar.getAttribute("aria-valuenow"))).toBeGreaterThan(40);
  await bar.scrollIntoViewIfNeeded();
  await shot("settings-models-pulling", bar);
  await button("settings", "cancel").click();
  await expect(bar).toHaveCount(0);
  await context.request.post(`${system.hub}/go`);

  // The next pass finds the library as this one did.
  await page.goto(`/recordings/${recorded}`);
  await button("recording", "more").first().click();
  await page.getByRole("menuitem", { name: t("recording", "delete") }).click();
  await expect(page).toHaveURL(/\/$/);
});
