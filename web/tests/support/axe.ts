import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test";

const WORST = ["serious", "critical"];

/** A long menu is scrolled by the arrow keys, which axe does not try. */
function isMenu(rule: string, html: string): boolean {
  return rule === "scrollable-region-focusable" && html.includes('role="menu"');
}

/** Fails where a screen reader, a keyboard or weak eyes would be left out: axe's findings that are serious or critical. */
export async function expectAccessible(page: Page, name = ""): Promise<void> {
  // Colours that are fading in are not what they are going to be.
  await page.evaluate(() => {
    // Those that have no end, such as that of a recording, change no colours.
    const ending = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY);
    return Promise.all(ending.map((animation) => animation.finished.catch(() => null)));
  });
  const { violations } = await new AxeBuilder({ page }).analyze();
  const findings = violations
    .filter((violation) => WORST.includes(violation.impact ?? ""))
    .map((violation) => ({
      ...violation,
      nodes: violation.nodes.filter(({ html }) => !isMenu(violation.id, html)),
    }))
    .filter(({ nodes }) => nodes.length > 0)
    .map(
      ({ id, help, nodes }) =>
        `${id}: ${help}\n  ${nodes.map((node) => `${node.html} (${node.failureSummary})`).join("\n  ")}`,
    );
  // All pages are looked at before the test ends.
  expect.soft(findings, `${name} on ${page.url()}`).toEqual([]);
}
