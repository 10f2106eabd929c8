import { addRecording } from "../support/library";
import { speech } from "../support/speech";
import { expect, test } from "../support/test";

test("a place that was found plays from its second, and leads there", async ({
  signedIn: page,
  context,
  system,
}) => {
  const title = `Speech ${Date.now()}`;
  const tag = `t${Date.now()}`;
  await addRecording(context, { title, tags: [tag], file: speech(system.microphone, `${title}.wav`) });
  await page.goto(`/find?tag=${tag}`);
  const box = page.getByRole("textbox", { name: "Search" });
  await expect(box).toBeFocused();
  await expect(async () => {
    await box.fill("");
    await box.fill("what you can do for your country");
    await expect(page.getByRole("article").filter({ hasText: title })).toBeVisible({ timeout: 3000 });
  }).toPass({ timeout: 60_000 });
  const hit = page.getByRole("article").filter({ hasText: title });
  await expect(hit.locator("mark").first()).toBeVisible();
  await hit.getByRole("button", { name: new RegExp(`^Play “${title}” from`) }).click();
  const player = page.getByRole("region", { name: "Player" });
  await expect(player.getByRole("button", { name: "Pause" })).toBeVisible();
  await player.getByRole("button", { name: "Close the player" }).click();
  await expect(player).toBeHidden();
  // What was looked for stands in the address.
  await page.reload();
  await expect(page.getByRole("article").filter({ hasText: title })).toBeVisible();
});

test("what the recordings do not hold is not answered", async ({ signedIn: page, context }) => {
  await addRecording(context, { title: `The garden party takes place on the lawn ${Date.now()}` });
  await page.goto("/find?mode=ask");
  await page.getByRole("textbox", { name: "Question" }).fill("What does the swimming pool in Busan cost?");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("article").getByText("Not in your recordings")).toBeVisible({
    timeout: 90_000,
  });
  await page.getByRole("button", { name: "New conversation" }).click();
  await expect(page.getByRole("heading", { name: "Ask your recordings" })).toBeVisible();
});
