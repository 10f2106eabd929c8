/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "1625faeeb6fbb319";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-BLpU3YLY.js /assets/ActivityPage-Cm9mtLgN.css /assets/ApiKeys-Bb9Zi8dU.js /assets/Badge-DE35PPZV.js /assets/Badge-xniGAPGy.css /assets/Box-B1xbGo-a.js /assets/Box-BMPDBfOb.css /assets/CheckboxGroup-B7WNuQby.js /assets/CheckboxGroup-Cg3ZhfzE.css /assets/CopyButton-BJEpO1bd.js /assets/Dialog-BlTNK-Zr.css /assets/Dialog-DAURExBH.js /assets/Dialogs-NcGmgDmz.js /assets/Dialogs-vZwdvvgg.css /assets/Facts-C3uvlfyY.css /assets/Facts-DZs2kQiI.js /assets/FilterPopover-Bzpf1hSC.css /assets/FilterPopover-C0uD0qEz.js /assets/FindPage-BVrqeHrM.js /assets/FindPage-a1S40esH.css /assets/FolderField-BKbUSLpx.js /assets/FormDialog-D9werRcB.js /assets/LanguageSelect-CR9NmLyO.js /assets/LibraryPage-CzqWLzt8.css /assets/LibraryPage-EIL7ViRL.js /assets/LiveDock-CrTgHLRJ.css /assets/LiveDock-CtaZFMCU.js /assets/LivePage-DD17HXAT.js /assets/LivePage-Dc2f3K8W.css /assets/Menu-DL5s_c3Y.css /assets/Menu-Dw6g5pIf.js /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-CxcyTFBa.js /assets/Models-5B6Tm1pm.css /assets/Models-Dkhu4mDq.js /assets/NoAccess-B9mA0o7v.js /assets/Notice-AxPwfpEb.js /assets/Notice-C3Y3OO7b.css /assets/OptionsPopover-BIu-YXkC.js /assets/Popover-BupY0PeL.css /assets/Popover-Dn2UD9DR.js /assets/Progress-CBkeb3Ph.js /assets/Progress-CYkrPPat.css /assets/RecordingPage-3qC7NxZD.css /assets/RecordingPage-CWCJk8Rd.js /assets/RowMenu-B_6yKt4E.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/SecretsCard-DD1LewTM.js /assets/Session-HpnZ6r0i.js /assets/SettingsPage-N0jlpoMY.js /assets/SettingsPage-QKY22DEo.css /assets/SimilarPanel-CpQTsG9L.css /assets/SimilarPanel-DSIxpgqY.js /assets/SortMenu-JNka5Ly8.js /assets/Switch-2xcnfXH4.css /assets/Switch-qTkSGhix.js /assets/System-CnmSnIvZ.js /assets/System-DFMURxih.css /assets/TemplateSelect-CNUNrY2k.js /assets/Templates-CEOb9B7O.css /assets/Templates-D_9w75Hm.js /assets/TitleLink-DhRjiIJE.css /assets/TitleLink-cAqHnkKd.js /assets/UploadsPanel-Cw5LutLW.css /assets/UploadsPanel-D-pEuW6a.js /assets/VirtualRows-B9jTcFWN.js /assets/Vocabulary-BF3F-h-k.js /assets/Voices-BvzGGtxV.js /assets/Webhooks-BtDHPR5C.js /assets/archive-CH3oxPYF.js /assets/build-vHLImJ7G.js /assets/caller-DxcucSp_.js /assets/check-gAzpdV6K.js /assets/circle-check-DGdW6xOq.js /assets/circle-x-BPYOe5-o.js /assets/copy-BZc5h-8o.js /assets/dist-Bd_QimC9.js /assets/dist-Dj3Mb0T-.js /assets/download-BoQ770d5.js /assets/download-CAB--grZ.js /assets/duration-DYB0xbhs.js /assets/en-BNo94H3Q.js /assets/en-BOv6QPqy.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-D0XqwYG5.js /assets/en-D725PTq9.js /assets/en-D98Hz6ae.js /assets/en-DCZjcBFp.js /assets/en-DKr6F1up.js /assets/en-DpMU5QIv.js /assets/en-vBQMDB39.js /assets/esm-CAmT8r2j.js /assets/exportLibrary-CWioA3ZZ.js /assets/facets-mu8Bfg1L.js /assets/folder-BGtd_Pqc.css /assets/folder-CiiELVoM.js /assets/hash.worker-Dw8C2JF1.js /assets/index-CSfwOnYE.js /assets/index-Dmui_-84.css /assets/ko-9R7jHh2c.js /assets/ko-9adVAthZ.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BirwHoMD.js /assets/ko-CQmvsgAC.js /assets/ko-CS9OoPje.js /assets/ko-CpypMmXy.js /assets/ko-OY8ebyB4.js /assets/ko-qDGJN5vn.js /assets/ko-w3yRVER5.js /assets/ko-yxA_OhgW.js /assets/languages-CthF6cF5.js /assets/languages-DyvfYegS.js /assets/list-filter-4_WomY3r.js /assets/live-DTHNJrVE.js /assets/manager-BgSnR_Mw.js /assets/microphone-C9rt8M2P.js /assets/minus-BHFhJkwa.js /assets/pause-DmONpJpW.js /assets/pencil-B1nl0-rz.js /assets/pick-CSIZDsgR.js /assets/play-CX7DaM3H.js /assets/plus-BdXnGhJu.js /assets/processor-DILNMRN2.js /assets/refresh-cw-Bk9YF7Hr.js /assets/retry-oGx18Km6.js /assets/rotate-cw-o7YMbSGW.js /assets/scopes-DE9U2Is9.js /assets/script-BnedLirI.js /assets/search-DEq3Nxsv.js /assets/search-x-C_e8qTDw.js /assets/services-qlX62hGf.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-CZkfpqlK.js /assets/sparkles-BwmX4bpz.js /assets/speakers-Bv2VNPBH.js /assets/square-D9ioxA8N.js /assets/start-CLcCsxeb.js /assets/templates-CgBnzG32.js /assets/time-fr5KC3By.js /assets/timestamp-fcWeuvpN.js /assets/trash-BpgQVApG.js /assets/triangle-exclamation-point-DjPjmy1s.js /assets/undo-2-CE1trqNy.js /assets/useAskBeforeLeaving-Rducc3HC.js /assets/useInfiniteQuery-DVmYqlAs.js /assets/useMutation-q1pBj2xC.js /assets/user-round-CyShyeqg.js /assets/users-DmjTuC6p.js /assets/voices-rLw1YNNB.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
