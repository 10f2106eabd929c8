import { expectAccessible } from "../support/axe";
import { expect, test } from "../support/test";

declare global {
  interface Window {
    /** The microphones that the page was given. */
    given: MediaStream[];
    /** What the page has told of the microphone, in order. */
    told: string[];
  }
}

test("a microphone is tried before anything is recorded, and let go of", async ({
  signedIn: page,
  context,
}) => {
  await page.addInitScript(() => {
    window.given = [];
    window.told = [];
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      const stream = await ask(wanted);
      window.given.push(stream);
      return stream;
    };
    new MutationObserver(() => {
      for (const status of document.querySelectorAll("main [role=status]")) {
        const text = status.textContent ?? "";
        if (text !== "" && text !== window.told.at(-1)) window.told.push(text);
      }
    }).observe(document, { childList: true, subtree: true, characterData: true });
  });
  const open = () =>
    page.evaluate(() =>
      window.given.map((stream) => stream.getTracks().some((track) => track.readyState === "live")),
    );
  const before = (await (await context.request.get("/history?page_size=1")).json()).total_count;

  await page.goto("/live");
  const begin = page.getByRole("button", { name: "Test the microphone" });
  await expect(begin).toBeVisible();
  expect(await open(), "nobody listens before the button is pressed").toEqual([]);
  await begin.click();
  const end = page.getByRole("button", { name: "End the test" });
  await expect(end).toBeVisible();
  await expect(page.getByText(/^It is heard by: ./)).toBeVisible();
  await expectAccessible(page, "the test of the microphone");

  // The microphone plays its speech once, and is still from then on: what was told meanwhile may be over.
  await expect
    .poll(() => page.evaluate(() => window.told), { timeout: 120_000 })
    .toContain("You are heard well.");
  await expect(page.getByText(/^Nothing is heard\. Is the microphone muted/)).toBeVisible({
    timeout: 120_000,
  });
  expect(await open()).toEqual([true]);

  await end.click();
  await expect(begin).toBeFocused();
  await expect(page.getByText(/^It is heard by:/)).toHaveCount(0);
  await expect.poll(open).toEqual([false]);

  // Who leaves the page is not listened to any more.
  await begin.click();
  await expect(page.getByText(/^It is heard by: ./)).toBeVisible();
  expect(await open()).toEqual([false, true]);
  await page.getByRole("link", { name: "Library", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Library" })).toBeVisible();
  await expect.poll(open).toEqual([false, false]);
  const after = (await (await context.request.get("/history?page_size=1")).json()).total_count;
  expect(after, "a test leaves no recording").toBe(before);
});
