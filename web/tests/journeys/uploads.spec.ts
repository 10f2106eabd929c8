import { noise, speech } from "../support/speech";
import { expect, test } from "../support/test";

const FILES = "input[type=file]:not([webkitdirectory])";

test("an upload goes on where the network was cut", async ({ signedIn: page, context, complaints }) => {
  complaints.expect(/net::ERR_INTERNET_DISCONNECTED/);
  const name = `cut-${Date.now()}.wav`;
  let chunks = 0;
  await page.goto("/");
  await page.route("**/UploadChunk", async (route) => {
    chunks += 1;
    // Slow enough to be cut in the middle.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await route.continue().catch(() => null);
  });
  await page.locator(FILES).first().setInputFiles(noise(name, 16));
  const uploads = page.getByRole("region", { name: "Uploads" });
  await expect.poll(() => chunks).toBeGreaterThan(4);
  await context.setOffline(true);
  await expect(uploads.getByText("The connection is lost. It is tried again by itself.")).toBeVisible();
  await context.setOffline(false);
  await expect(uploads.getByRole("heading", { name: "Everything is uploaded" })).toBeVisible({
    timeout: 60_000,
  });
  // 16 MB in chunks of at least 1 MiB: hardly anything was sent twice.
  expect(chunks).toBeLessThan(32);
});

test("an upload goes on after the page was loaded anew", async ({ signedIn: page, complaints }) => {
  complaints.expect(/net::ERR_(ABORTED|FAILED)/);
  const file = noise(`reload-${Date.now()}.wav`, 16);
  await page.goto("/");
  let isLoadedAnew = false;
  let chunks = 0;
  let bytesAgain = 0;
  await page.route("**/UploadChunk", async (route) => {
    if (isLoadedAnew) bytesAgain += route.request().postDataBuffer()?.length ?? 0;
    // The first page gets no further than this.
    else if (chunks === 3) return;
    else chunks += 1;
    await route.continue().catch(() => null);
  });
  await page.locator(FILES).first().setInputFiles(file);
  await expect.poll(() => chunks).toBe(3);
  page.once("dialog", (dialog) => void dialog.accept());
  page.once("domcontentloaded", () => {
    isLoadedAnew = true;
  });
  await page.reload();
  const uploads = page.getByRole("region", { name: "Uploads" });
  await expect(uploads.getByRole("heading", { name: "Everything is uploaded" })).toBeVisible({
    timeout: 60_000,
  });
  // What had come before was not sent again.
  expect(bytesAgain).toBeGreaterThan(1_000_000);
  expect(bytesAgain).toBeLessThan(file.buffer.length - 1_000_000);
});

test("the same file is not taken twice without being asked", async ({ signedIn: page, system }) => {
  const file = speech(system.microphone, `twice-${Date.now()}.wav`);
  await page.goto("/");
  const uploads = page.getByRole("region", { name: "Uploads" });
  await page.locator(FILES).first().setInputFiles(file);
  await expect(uploads.getByRole("heading", { name: "Everything is uploaded" })).toBeVisible();
  await page
    .locator(FILES)
    .first()
    .setInputFiles({ ...file, name: `again-${file.name}` });
  await expect(uploads.getByText("The library has this file already:")).toBeVisible();
  await uploads.getByRole("button", { name: "Add anyway" }).click();
  await expect(uploads.getByRole("heading", { name: "Everything is uploaded" })).toBeVisible();
});

test("what is dropped on the page is uploaded", async ({ signedIn: page }) => {
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1, name: "Library" })).toBeVisible();
  const transfer = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    data.items.add(
      new File([`A text that was dropped at ${Date.now()}.`], "dropped.txt", { type: "text/plain" }),
    );
    return data;
  });
  await page.dispatchEvent("body", "dragenter", { dataTransfer: transfer });
  await expect(page.getByText("Drop files and folders here")).toBeVisible();
  await page.dispatchEvent("body", "drop", { dataTransfer: transfer });
  const uploads = page.getByRole("region", { name: "Uploads" });
  await expect(uploads.getByTitle("dropped.txt")).toBeVisible();
  await expect(uploads.getByRole("heading", { name: "Everything is uploaded" })).toBeVisible();
});

test("a file that is no recording fails with a reason", async ({ signedIn: page }) => {
  await page.goto("/");
  await page
    .locator(FILES)
    .first()
    .setInputFiles({ name: "broken.wav", mimeType: "audio/wav", buffer: Buffer.from("no sound at all") });
  const uploads = page.getByRole("region", { name: "Uploads" });
  await expect(uploads.getByText("This is no audio, video or text that can be read.")).toBeVisible();
});
