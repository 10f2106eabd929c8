import type { Locator, Page } from "@playwright/test";
import { addRecording } from "../support/library";
import { expect, test } from "../support/test";

function rows(page: Page): Locator {
  return page
    .getByRole("list", { name: "Recordings" })
    .getByRole("listitem")
    .filter({ has: page.getByRole("checkbox") });
}

test("a title is changed where it stands", async ({ signedIn: page, context }) => {
  const title = `Old title ${Date.now()}`;
  await addRecording(context, { title, process: false });
  await page.goto("/");
  await page.getByRole("button", { name: `Actions for ${title}` }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Title", exact: true }).fill(`New ${title}`);
  const saved = page.waitForResponse(/UpdateRecording$/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: `New ${title}` })).toBeFocused();
  await (await saved).finished();
  await page.reload();
  await expect(page.getByRole("link", { name: `New ${title}` })).toBeVisible();
});

test("many at once: labels, the bin, and everything back", async ({ signedIn: page, context }) => {
  const mark = `bulk${Date.now()}`;
  for (const number of [1, 2, 3]) await addRecording(context, { title: `${mark} ${number}`, process: false });
  await page.goto("/");
  await page.getByRole("searchbox").fill(mark);
  await expect(rows(page)).toHaveCount(3);
  await page.getByRole("checkbox", { name: "Select all that are loaded" }).check();
  const bar = page.getByRole("region", { name: "Selected recordings" });
  await expect(bar).toContainText("3 selected");
  await bar.getByRole("button", { name: "Tags and folder" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Add tags").fill(`tag-${mark}`);
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(rows(page).getByRole("button", { name: `Tag: tag-${mark}` })).toHaveCount(3);

  await page.getByRole("checkbox", { name: "Select all that are loaded" }).check();
  await bar.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("3 recordings moved to the bin.").first()).toBeVisible();
  await expect(rows(page)).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).first().click();
  await expect(rows(page)).toHaveCount(3);
});

test("the bin gives back, and deletes for good only when asked twice", async ({
  signedIn: page,
  context,
}) => {
  const title = `Binned ${Date.now()}`;
  await addRecording(context, { title, process: false });
  await page.goto("/");
  await page.getByRole("button", { name: `Actions for ${title}` }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("link", { name: "Bin", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Bin" })).toBeVisible();
  await page.getByRole("button", { name: `Actions for ${title}` }).click();
  await page.getByRole("menuitem", { name: "Delete for good" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
  await expect(page.getByRole("link", { name: title })).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole("link", { name: title })).toHaveCount(0);
});

test("filters narrow the list, stand in the address, and go away again", async ({
  signedIn: page,
  context,
}) => {
  const mark = `filter${Date.now()}`;
  await addRecording(context, {
    title: `${mark} in`,
    folder: `f-${mark}`,
    tags: [`t-${mark}`],
    process: false,
  });
  await addRecording(context, { title: `${mark} out`, process: false });
  await page.goto("/");
  await page.getByRole("searchbox").fill(mark);
  await expect(rows(page)).toHaveCount(2);
  await page.getByRole("button", { name: `Tag: t-${mark}` }).click();
  await expect(rows(page)).toHaveCount(1);
  await page.reload();
  await expect(page.getByRole("link", { name: `${mark} in` })).toBeVisible();
  await expect(rows(page)).toHaveCount(1);
  await page.getByRole("button", { name: `Take away the filter #t-${mark}` }).click();
  await expect(rows(page)).toHaveCount(2);

  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByRole("dialog", { name: "Filters" }).getByLabel("Folder").selectOption(`f-${mark}`);
  await expect(rows(page)).toHaveCount(1);
  await page.keyboard.press("Escape");
  await page.getByRole("searchbox").fill("nothing has this name");
  await expect(page.getByRole("heading", { name: "Nothing fits" })).toBeVisible();
  await page.getByRole("button", { name: "Clear the filters" }).last().click();
  await expect(page.getByRole("link", { name: `${mark} out` })).toBeVisible();
});

test("another tab's changes appear by themselves", async ({ signedIn: page, context }) => {
  const title = `Told ${Date.now()}`;
  await page.goto("/");
  await expect(page.getByRole("heading", { level: 1, name: "Library" })).toBeVisible();
  const id = await addRecording(context, { title, process: false });
  await expect(page.getByRole("link", { name: title })).toBeVisible();
  const other = await context.newPage();
  await other.goto(`/recordings/${id}`);
  await other.getByRole("button", { name: "Rename" }).click();
  await other.getByRole("textbox", { name: "Title", exact: true }).fill(`${title}, renamed`);
  await other.keyboard.press("Enter");
  await expect(page.getByRole("link", { name: `${title}, renamed` })).toBeVisible();
});
