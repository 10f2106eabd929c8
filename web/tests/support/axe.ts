import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test";

const WORST = ["serious", "critical"];

/** Fails where a screen reader, a keyboard or weak eyes would be left out: axe's findings that are serious or critical. */
export async function expectAccessible(page: Page, name = ""): Promise<void> {
  // Colours that are fading in are not what they are going to be.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => null))),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  const findings = violations
    .filter((violation) => WORST.includes(violation.impact ?? ""))
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n  ${nodes.map((node) => `${node.html} (${node.failureSummary})`).join("\n  ")}`,
    );
  // All pages are looked at before the test ends.
  expect.soft(findings, `${name} on ${page.url()}`).toEqual([]);
}
