import { addRecording } from "../support/library";
import { speech } from "../support/speech";
import { expect, signIn, test } from "../support/test";

test("theme and language are chosen, kept, and hold everywhere", async ({ signedIn: page }) => {
  await page.goto("/settings/general");
  const root = page.locator("html");
  await page.getByLabel("Theme", { exact: true }).selectOption("dark");
  await expect(root).toHaveAttribute("data-theme", "dark");
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  expect(await ground()).toBe("rgb(21, 21, 20)");
  await page.getByLabel("Language", { exact: true }).selectOption("ko");
  await expect(page.getByRole("heading", { level: 1, name: "설정" })).toBeVisible();
  await expect(root).toHaveAttribute("lang", "ko");
  await page.goto("/");
  await expect(root).toHaveAttribute("lang", "ko");
  await expect(root).toHaveAttribute("data-theme", "dark");
  expect(await ground()).toBe("rgb(21, 21, 20)");
});

test("an API key is shown once, signs in, and is shut out", async ({ signedIn: page, browser, baseURL }) => {
  const name = `Key ${Date.now()}`;
  await page.goto("/settings/keys");
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByRole("button", { name: "Make the key" }).click();
  await expect(dialog.getByRole("heading", { name: "The key is made" })).toBeVisible();
  const secret = (await dialog.locator("code").textContent()) ?? "";
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  await expect(page.getByText(secret)).toHaveCount(0);

  const other = await browser.newContext({ baseURL: baseURL ?? "" });
  await signIn(other, secret);
  await page.getByRole("button", { name: `Revoke “${name}”` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await expect(page.getByText(`“${name}” is revoked.`).first()).toBeVisible();
  await expect.poll(async () => (await other.request.get("/history")).status()).toBe(401);
  await other.close();
});

test("terms of the vocabulary come, go, and come back", async ({ signedIn: page }) => {
  const term = `Term${Date.now()}`;
  await page.goto("/settings/vocabulary");
  await page.getByLabel("Names and terms").fill(`${term}\n${term}B`);
  await page.getByRole("button", { name: "Add 2 terms" }).click();
  const list = page.getByRole("list", { name: "Vocabulary" });
  await expect(list.getByText(term, { exact: true })).toBeVisible();
  await list.getByRole("button", { name: `Remove “${term}”` }).click();
  await expect(list.getByText(term, { exact: true })).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).first().click();
  await expect(list.getByText(term, { exact: true })).toBeVisible();
});

test("a mistake in a template is told with its line, and saved when it is mended", async ({
  signedIn: page,
}) => {
  const name = `sync-${Date.now()}`;
  await page.goto("/settings/templates");
  await page.getByRole("button", { name: "New template" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: true }).fill(name);
  const text = dialog.getByLabel("Template in Markdown");
  await text.fill("# Weekly\n\n## Decisions {nonsense}\nWhat was decided.\n");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Line 3:");
  await expect(text).toHaveAttribute("aria-invalid", "true");
  await text.fill("# Weekly\n\n## Decisions {decisions}\nWhat was decided.\n");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: /^Edit .*(Weekly|sync-)/ })).toBeVisible();
});

test("a voice is remembered where its speaker is named, and forgotten", async ({
  signedIn: page,
  context,
  system,
}) => {
  const name = `Anna ${Date.now()}`;
  const file = speech(system.microphone, `${name}.wav`);
  const id = await addRecording(context, { title: `Voice of ${name}`, file });
  await page.goto(`/recordings/${id}`);
  await page
    .getByRole("button", { name: /^Speaker 1.*rename$/ })
    .first()
    .click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByLabel("Name")).toBeFocused();
  await page.keyboard.type(name);
  await dialog.getByRole("checkbox", { name: /^Recognise this voice/ }).check();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: new RegExp(`^${name}.*rename$`) }).first()).toBeVisible();
  await expect(page.getByText(`The voice of ${name} is remembered.`).first()).toBeVisible();

  await page.goto("/settings/voices");
  const forget = page.getByRole("button", { name: `Forget the voice of ${name}` });
  await expect(page.getByRole("listitem").filter({ has: forget }).getByRole("link")).toHaveAttribute(
    "href",
    `/recordings/${id}`,
  );
  await forget.click();
  await dialog.getByRole("button", { name: "Forget", exact: true }).click();
  await expect(forget).toHaveCount(0);
});

test("the sections say what is installed, what it takes, and how the system is", async ({
  signedIn: page,
}) => {
  await page.goto("/settings/models");
  await expect(page.getByText("faster-whisper-tiny.en").first()).toBeVisible();
  await page.goto("/settings/system");
  await expect(page.getByText("Speech to text").first()).toBeVisible();
  await page.goto("/settings/session");
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
});
