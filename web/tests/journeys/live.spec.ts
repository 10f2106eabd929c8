import { expect, test } from "../support/test";

test("what is said appears while it is said, and becomes a recording", async ({ signedIn: page }) => {
  await page.goto("/live");
  await page.getByLabel("Title", { exact: true }).fill("A speech, live");
  await page.getByRole("button", { name: "Start recording" }).click();
  const captions = page.getByRole("region", { name: "Captions" });
  await expect(page.getByRole("timer", { name: "Recorded time" })).toBeVisible();
  await expect(captions).toContainText(/fellow americans/i, { timeout: 60_000 });
  await expect(captions).toContainText(/what your country can do for you/i, { timeout: 60_000 });

  // Somewhere else on the page it goes on, and says so.
  await page.getByRole("link", { name: "Library", exact: true }).click();
  await expect(page.getByRole("link", { name: "To the recording" })).toBeVisible();
  await page.getByRole("link", { name: "To the recording" }).click();

  await page.keyboard.press("b");
  await page.getByLabel(/^Bookmark at/).fill("the point");
  await page.keyboard.press("Enter");
  await expect(captions.getByText("the point")).toBeVisible();

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByText("Paused", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();

  await page.getByRole("button", { name: "Stop and save" }).click();
  await expect(page.getByRole("heading", { name: "The recording is saved" })).toBeVisible();
  await expect(page.getByText("Transcript and minutes are ready")).toBeVisible({ timeout: 90_000 });
  await page.getByRole("link", { name: "Open the recording" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "A speech, live" })).toBeVisible();
  await expect(page.locator("[data-text]").first()).toContainText(/ask not what your country/i);
});

test("a network that goes away takes nothing of the recording", async ({
  signedIn: page,
  context,
  complaints,
}) => {
  complaints.expect(/net::ERR_INTERNET_DISCONNECTED/);
  await page.goto("/live");
  await page.getByLabel("Title", { exact: true }).fill("Cut off");
  await page.getByRole("button", { name: "Start recording" }).click();
  const captions = page.getByRole("region", { name: "Captions" });
  await expect(captions).toContainText(/fellow americans/i, { timeout: 60_000 });
  await context.setOffline(true);
  await expect(page.getByText(/No connection to the server\. The recording goes on/)).toBeVisible();
  await page.waitForTimeout(3000); // so much is spoken while nobody listens
  await context.setOffline(false);
  await expect(captions).toContainText(/do for your country/i, { timeout: 60_000 });
  await page.getByRole("button", { name: "Stop and save" }).click();
  await page.getByRole("link", { name: "Open the recording" }).click({ timeout: 60_000 });
  // Nothing is missing of what was spoken while nobody listened.
  await expect(page.locator("[data-text]").first()).toContainText(
    /fellow americans,? ask not what your country can do for you,? ask what you can do for your country/i,
    { timeout: 90_000 },
  );
});

test("a tab that was closed leaves what it had not sent, and the next one sends it", async ({
  signedIn: page,
  context,
  complaints,
}) => {
  complaints.expect(/net::ERR_INTERNET_DISCONNECTED/);
  await page.goto("/live");
  await page.getByLabel("Title", { exact: true }).fill("Closed tab");
  await page.getByRole("button", { name: "Start recording" }).click();
  await expect(page.getByRole("region", { name: "Captions" })).toContainText(/americans|country/i, {
    timeout: 60_000,
  });
  await context.setOffline(true);
  await expect(page.getByText(/No connection to the server\. The recording goes on/)).toBeVisible();
  await page.waitForTimeout(2000); // so much is spoken while nobody listens
  await page.close({ runBeforeUnload: false });
  await context.setOffline(false);
  const next = await context.newPage();
  await next.goto("/live");
  await expect(next.getByRole("heading", { name: "Closed tab" })).toBeVisible();
  await next.getByRole("button", { name: "Send and finish" }).click();
  await next.getByRole("link", { name: "Open the recording" }).click({ timeout: 60_000 });
  await expect(next.getByRole("heading", { level: 1, name: "Closed tab" })).toBeVisible();
});
