import { expect, test } from "../support/test";

test("the address that the server printed signs in and does not keep the token", async ({ page, system }) => {
  await page.goto(`/#token=${system.token}`);
  await expect(page.getByRole("navigation", { name: "Main navigation" })).toBeVisible();
  expect(page.url()).not.toContain("token");
  expect(await page.evaluate(() => document.cookie)).toBe("");
  await page.goBack().catch(() => null);
  expect(page.url()).not.toContain(system.token);
});

test("an API key or the token can be typed in", async ({ page, system }) => {
  await page.goto("/");
  await page.getByLabel("Token").fill(system.token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Library" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("heading", { level: 1, name: "Library" })).toBeVisible();
});

test("a wrong token is refused, and the page says so", async ({ page, complaints }) => {
  complaints.expect(/401/);
  await page.goto("/");
  await page.getByLabel("Token").fill("rr_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toHaveText("This token is not valid.");
  await expect(page.getByLabel("Token")).toHaveAttribute("aria-invalid", "true");
});

test("an old address with a wrong token leaves a session that stands", async ({
  signedIn: page,
  complaints,
}) => {
  complaints.expect(/401/);
  await page.goto("/#token=rr_old");
  await expect(page.getByRole("navigation", { name: "Main navigation" })).toBeVisible();
});
