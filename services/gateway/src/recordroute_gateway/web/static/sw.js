/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "181217e6c28dab90";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-Cm9mtLgN.css /assets/ActivityPage-DfsUvJ00.js /assets/ApiKeys-W-_z1ISl.js /assets/Dialogs-BasP86Xp.js /assets/Dialogs-vZwdvvgg.css /assets/Facts-C3uvlfyY.css /assets/Facts-D5Xdiw33.js /assets/FilterPopover-Bzpf1hSC.css /assets/FilterPopover-CPD8sfY9.js /assets/FindPage-BrnAOUyR.js /assets/FindPage-a1S40esH.css /assets/LibraryPage-CzqWLzt8.css /assets/LibraryPage-DCSmSqZC.js /assets/LiveDock-CrTgHLRJ.css /assets/LiveDock-DeYp2MoP.js /assets/LivePage-DZC3TVf-.js /assets/LivePage-Dc2f3K8W.css /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-DgjW-uN_.js /assets/Models-5B6Tm1pm.css /assets/Models-G3eXWofz.js /assets/NoAccess-Dj2w6lEL.js /assets/OptionsPopover-BC41mJ7a.js /assets/RecordingPage-3qC7NxZD.css /assets/RecordingPage-asf3jdga.js /assets/RowMenu-xrtayb2F.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/SecretsCard-BVVTdiJ4.js /assets/Session-D4bCUnyy.js /assets/SettingsPage-D8d5jjfC.js /assets/SettingsPage-QKY22DEo.css /assets/SimilarPanel-CpQTsG9L.css /assets/SimilarPanel-CpTE190J.js /assets/SortMenu-Mn4Nwcin.js /assets/System-27VgwVDb.js /assets/System-DFMURxih.css /assets/Templates-CEOb9B7O.css /assets/Templates-sS2wCfHb.js /assets/UploadsPanel-CeTvP3Es.js /assets/UploadsPanel-Cw5LutLW.css /assets/VirtualRows-B0vTd__w.js /assets/Vocabulary-By2Tcz36.js /assets/Voices-CXLplAqM.js /assets/Webhooks-Cx9-zZ7r.js /assets/build-CoEC-y5y.js /assets/caller-l-PDyfKh.js /assets/common-BMX2rGsa.css /assets/common-DWx4EcR8.js /assets/download-ceMxavPc.js /assets/en-BNo94H3Q.js /assets/en-BnKGtDEg.js /assets/en-By_EmqjS.js /assets/en-D0XqwYG5.js /assets/en-D98Hz6ae.js /assets/en-DCZjcBFp.js /assets/en-DKr6F1up.js /assets/en-Dfo45VJj.js /assets/en-DpMU5QIv.js /assets/esm-BDaiqsMC.js /assets/exportLibrary-CDhw93rO.js /assets/folder-qjmWu9Th.js /assets/forms-C5ni7J_h.css /assets/forms-DTb7ztXl.js /assets/hash.worker-Dw8C2JF1.js /assets/index-BI38napm.js /assets/index-Dmui_-84.css /assets/ko-9R7jHh2c.js /assets/ko-BirwHoMD.js /assets/ko-CQmvsgAC.js /assets/ko-CS9OoPje.js /assets/ko-CpypMmXy.js /assets/ko-DKTgjqRH.js /assets/ko-OY8ebyB4.js /assets/ko-iFSdxfkc.js /assets/ko-w3yRVER5.js /assets/live-Ic-qjrrD.js /assets/manager-64fBcGje.js /assets/menus-D58utpK-.css /assets/menus-D7G9no15.js /assets/microphone-C9rt8M2P.js /assets/processor-DILNMRN2.js /assets/retry-HrpeJGiT.js /assets/rolldown-runtime-XKyaHtl9.js /assets/scopes-DlGfNHcB.js /assets/search-CddMmFg-.js /assets/services-DPXqIOY9.js /assets/start-Dm9uYhqs.js /assets/texts-en-DmaO9FhC.js /assets/texts-ko-DKMmJWF4.js /assets/troubles-DrZDxS-X.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
