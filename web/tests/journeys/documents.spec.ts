import type { Page } from "@playwright/test";
import { markdown, pdf } from "../support/documents";
import { addRecording } from "../support/library";
import { expect, test } from "../support/test";

/** What is looked for, and how it is asked for: in other words. */
const PASSAGE = "Visitors may bring their dogs into the garden on Sundays, as long as they are on a lead.";
const QUERY = "dogs in the garden on Sundays";
const QUOTE = "recordroute-quote";
const ROOMS = ["reading", "map", "music", "newspaper", "children's", "study", "lecture", "exhibition"];

/** Returns paragraphs that are about something else; no two of all that are made are the same. */
function rest(mark: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const room = ROOMS[index % ROOMS.length];
    return `Item ${index + 1} of ${mark}: the ${room} room was painted, and its ${index + 3} lamps were counted.`;
  });
}

/** Finds the passage among what has the tag, and opens it by the link that says where it stands. */
async function open(page: Page, { title, tag, place }: { title: string; tag: string; place: string }) {
  await page.goto(`/find?tag=${tag}`);
  const hit = page.getByRole("article").filter({ hasText: title }).filter({ hasText: "dogs" });
  await expect(async () => {
    await page.getByRole("textbox", { name: "Search" }).fill("");
    await page.getByRole("textbox", { name: "Search" }).fill(QUERY);
    await expect(hit.first()).toBeVisible({ timeout: 3000 });
  }).toPass({ timeout: 60_000 });
  // A document has nothing to be heard.
  await expect(hit.first().getByRole("button", { name: /^Play/ })).toHaveCount(0);
  await hit.first().getByRole("link", { name: place, exact: true }).click();
  await expect(page).toHaveURL(/\/recordings\/[-0-9a-f]+\?segment=\d+/);
}

/** The passage is in view, told as the place that the link leads to, and marked where it is quoted. */
async function expectShown(page: Page): Promise<void> {
  const passage = page.locator("[data-text]").filter({ hasText: "dogs" });
  await expect(passage).toBeInViewport();
  await expect(passage).toHaveAttribute("aria-current", "location");
  await expect
    .poll(() => page.evaluate((name) => [...(CSS.highlights.get(name) ?? [])].map(String).join(" "), QUOTE))
    .toContain("dogs");
}

test("a passage of a PDF is found with its page, and opens there", async ({ signedIn: page, context }) => {
  const tag = `pdf${Date.now()}`;
  const title = `Rules of the house ${tag}`;
  const items = rest(tag, 90);
  const pages = [items.slice(0, 30), [...items.slice(30, 60), PASSAGE], items.slice(60)];
  await addRecording(context, { title, tags: [tag], file: pdf(`${tag}.pdf`, pages) });
  await open(page, { title, tag, place: "page 2" });
  await expectShown(page);
  // The same address leads there once more.
  await page.reload();
  await expect(page.locator("[data-text]").filter({ hasText: "dogs" })).toBeInViewport();
});

test("a passage of a Markdown file is found with its line, and opens there", async ({
  signedIn: page,
  context,
}) => {
  const tag = `markdown${Date.now()}`;
  const title = `Minutes by hand ${tag}`;
  const items = rest(tag, 80);
  const file = markdown(`${tag}.md`, [`# ${title}`, ...items.slice(0, 50), PASSAGE, ...items.slice(50)]);
  await addRecording(context, { title, tags: [tag], file });
  // A heading, fifty paragraphs, and an empty line after each.
  await open(page, { title, tag, place: "line 103" });
  await expectShown(page);
});
