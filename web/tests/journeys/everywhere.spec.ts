import { gzipSync } from "node:zlib";
import { expectAccessible } from "../support/axe";
import { addRecording } from "../support/library";
import { speech } from "../support/speech";
import { expect, test } from "../support/test";

/** What holds for every page. `{recording}` is one with speech, minutes and all. */
const PAGES = [
  "/",
  "/?bin=1",
  "/recordings/{recording}",
  "/recordings/00000000-0000-4000-8000-000000000000",
  "/recordings/no-id",
  "/find",
  "/find?q=country",
  "/find?mode=ask",
  "/live",
  "/activity",
  ...["general", "models", "vocabulary", "templates", "voices", "keys", "webhooks", "system", "session"].map(
    (section) => `/settings/${section}`,
  ),
  "/nowhere",
];
/** Bytes by gzip; the first load of the library. */
const BUDGET = 200_000;

let recording = "";

test.beforeEach(async ({ context, system }) => {
  if (recording !== "") return;
  const session = { headers: { authorization: `Bearer ${system.token}` } };
  await context.request.post("/session", session);
  const title = "A speech for every page";
  recording = await addRecording(context, {
    title,
    file: speech(system.microphone, "every.wav"),
    summary: true,
  });
  await context.clearCookies();
});

for (const scheme of ["light", "dark"] as const) {
  test(`nothing is in the way of a screen reader, ${scheme}`, async ({ signedIn: page, complaints }) => {
    test.setTimeout(600_000);
    complaints.expect(/404/);
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    for (const address of PAGES) {
      await test.step(address, async () => {
        await page.goto(address.replace("{recording}", recording));
        await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
        await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
        expect(await page.title()).toMatch(/RecordRoute$/);
        await expectAccessible(page);
      });
    }
  });

  test(`nor is the page that asks who is there, ${scheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.goto("/");
    await expect(page.getByRole("heading", { level: 1, name: "Sign in" })).toBeVisible();
    await expectAccessible(page);
  });
}

test("no page is wider than a small phone", async ({ signedIn: page, complaints }) => {
  test.setTimeout(600_000);
  complaints.expect(/404/);
  await page.setViewportSize({ width: 360, height: 740 });
  for (const address of PAGES) {
    await test.step(address, async () => {
      await page.goto(address.replace("{recording}", recording));
      await expect(page.getByRole("heading", { level: 1 })).toHaveCount(1);
      await expect(page.getByText("Loading", { exact: true })).toHaveCount(0);
      const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(tooWide, "pixels beyond the edge").toBeLessThanOrEqual(0);
    });
  }
});

test("the first load is small", async ({ signedIn: page }) => {
  const sizes = new Map<string, number>();
  page.on("response", async (response) => {
    const { pathname } = new URL(response.url());
    if (!/^\/(assets\/.*|[^/]*\.(js|css|json|webmanifest))?$/.test(pathname)) return;
    sizes.set(pathname, gzipSync(await response.body(), { level: 9 }).length);
  });
  await page.goto("/");
  await expect(page.getByRole("list", { name: "Recordings" })).toBeVisible();
  await page.waitForLoadState("load");
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const listed = [...sizes].sort((one, other) => other[1] - one[1]).map(([path, size]) => `${size} ${path}`);
  expect(sizes.size).toBeGreaterThan(3);
  expect(total, listed.join("\n")).toBeLessThanOrEqual(BUDGET);
});

test("what the policy forbids does not run", async ({ signedIn: page, complaints }) => {
  complaints.expect(/Content Security Policy|violates/);
  await page.goto("/");
  const ran = await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(script);
    return "ran" in window;
  });
  expect(ran).toBe(false);
  expect(complaints.found.join("\n")).toMatch(/Content Security Policy/);
});
