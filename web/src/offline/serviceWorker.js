/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "__VERSION__";
const FILES = new Set("__FILES__".split(" "));

const CACHE = `recordroute-${VERSION}`;
const SHELL = "/index.html";
/** Addresses of the client's pages; whatever else is opened is the server's. A test compares them with App.tsx. */
const PAGES = /^\/(?:$|find$|live$|activity$|recordings\/|settings(?:$|\/))/;
/** Files with a hash of their content in their names. */
const HASHED = "/assets/";

addEventListener("install", (event) => event.waitUntil(keepFiles()));
addEventListener("activate", (event) => event.waitUntil(Promise.all([forgetOld(), clients.claim()])));
addEventListener("message", ({ data }) => {
  if (data === "activate") skipWaiting();
});
addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (PAGES.test(pathname)) event.respondWith(openPage(request));
  } else if (pathname.startsWith(HASHED)) {
    event.respondWith(openHashed(request));
  } else if (FILES.has(pathname)) {
    event.respondWith(openFile(request));
  }
});

async function keepFiles() {
  const cache = await caches.open(CACHE);
  await Promise.all(
    [...FILES].map(async (path) => {
      const isHashed = path.startsWith(HASHED);
      // The version before has most of them.
      const known = isHashed ? await caches.match(path) : undefined;
      if (known !== undefined) return cache.put(path, known);
      return cache.add(new Request(path, { cache: isHashed ? "default" : "reload" }));
    }),
  );
}

/** The version before this one stays: pages of it that are still open may want more of its files. */
async function forgetOld() {
  const versions = (await caches.keys()).filter((name) => name.startsWith("recordroute-") && name !== CACHE);
  await Promise.all(versions.slice(0, -1).map((name) => caches.delete(name)));
}

/** The newest page as long as there is a server; a proxy in front may answer in its place that there is none. */
async function openPage(request) {
  try {
    const response = await fetch(request);
    if (response.status < 502 || response.status > 504) return response;
  } catch {
    // No network, or no server.
  }
  return (await caches.match(SHELL)) ?? Response.error();
}

async function openHashed(request) {
  return (await caches.match(request)) ?? fetch(request);
}

async function openFile(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request)) ?? Response.error();
  }
}
