import { type BrowserContext, test as base, expect, type Page } from "@playwright/test";
import { type Place, place } from "./place";

export { expect };

export type Front = "bridge" | "envoy";
export type Options = { front: Front };

type Fixtures = {
  system: Place;
  /** What the page must never do; asserted after each test. */
  complaints: Complaints;
  /** A page whose session stands already. */
  signedIn: Page;
};

/** Collects what no page may do: errors, violations of the content security policy, requests to other hosts. */
export class Complaints {
  readonly found: string[] = [];
  #expected: RegExp[] = [];
  #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** The browser itself reports failed requests as errors: a test that brings one about says so. */
  expect(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  watch(context: BrowserContext): void {
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.#add(`console: ${message.text()}`);
    });
    context.on("weberror", (error) => this.#add(`uncaught: ${error.error().stack}`));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== this.#origin) this.#add(`request: ${url}`);
    });
  }

  get unexpected(): string[] {
    return this.found.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
  }

  #add(text: string): void {
    this.found.push(text);
  }
}

export const test = base.extend<Options & Fixtures>({
  front: ["bridge", { option: true }],

  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from the pattern
  system: async ({}, use) => use(place()),

  baseURL: async ({ system, front }, use) => {
    const address = system[front];
    if (address === undefined) throw new Error(`the system has no ${front}`);
    await use(address);
  },

  complaints: [
    async ({ context, baseURL }, use) => {
      const complaints = new Complaints(new URL(baseURL ?? "").origin);
      complaints.watch(context);
      await use(complaints);
      expect(complaints.unexpected, "what a page must never do").toEqual([]);
    },
    { auto: true },
  ],

  signedIn: async ({ page, context, system }, use) => {
    await signIn(context, system.token);
    await use(page);
  },
});

/** Opens a session, as the page's sign-in does. */
export async function signIn(context: BrowserContext, token: string): Promise<void> {
  const response = await context.request.post("/session", { headers: { authorization: `Bearer ${token}` } });
  expect(response.status()).toBe(204);
}
