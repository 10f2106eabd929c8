import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const source = (name: string) => readFileSync(join(import.meta.dirname, name), "utf8");

function pagesOfWorker(): RegExp {
  const pattern = /const PAGES = \/(.+)\/;/.exec(source("serviceWorker.js"))?.[1];
  if (pattern === undefined) throw new Error("the service worker names no pages");
  return new RegExp(pattern);
}

test("the service worker knows the addresses of all pages", () => {
  const routes = [...source("../app/App.tsx").matchAll(/<Route path="([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  expect(routes.length).toBeGreaterThan(4);
  const pages = pagesOfWorker();
  for (const route of routes) {
    const addresses = route.includes("?")
      ? [route.replace(/\/:\w+\?/, ""), route.replace(/:\w+\?/, "one")]
      : [route.replace(/:\w+/, "one")];
    for (const address of addresses) expect(pages.test(address), address).toBe(true);
  }
});

test.each([
  "/media/1",
  "/session",
  "/docs",
  "/openapi.json",
  "/search",
  "/download/1",
  "/recordroute.gateway.v1",
])("%s is the server's", (address) => {
  expect(pagesOfWorker().test(address)).toBe(false);
});
