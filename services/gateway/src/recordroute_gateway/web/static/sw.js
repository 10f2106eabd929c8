/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "7c8d8c97d6084586";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-Cm9mtLgN.css /assets/ActivityPage-KR0vynJw.js /assets/ApiKeys-EiL8bXFn.js /assets/Badge-dC8o5_Lb.js /assets/Badge-xniGAPGy.css /assets/Box-BMPDBfOb.css /assets/Box-BzPu48kb.js /assets/CheckboxGroup-Cg3ZhfzE.css /assets/CheckboxGroup-jDvGvJ5J.js /assets/CopyButton-CL1kIuK6.js /assets/Dialog-BlTNK-Zr.css /assets/Dialog-ByrLOwk7.js /assets/Dialogs-D50vT0uS.js /assets/Dialogs-vZwdvvgg.css /assets/Facts-C3uvlfyY.css /assets/Facts-cabNN2qu.js /assets/FilterPopover-Bzpf1hSC.css /assets/FilterPopover-CovMUkZc.js /assets/FindPage-a1S40esH.css /assets/FindPage-lpn4wOUm.js /assets/FolderField-BHBjGpBG.js /assets/FormDialog-B_d_IHXA.js /assets/LanguageSelect-BtaDSVEE.js /assets/LibraryPage-BIgl48cB.js /assets/LibraryPage-CzqWLzt8.css /assets/LiveDock-3y7BhKrP.js /assets/LiveDock-CrTgHLRJ.css /assets/LivePage-Dc2f3K8W.css /assets/LivePage-MRgN3YZh.js /assets/Menu-DL5s_c3Y.css /assets/Menu-wh0ET6Qo.js /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-Bo2PSVLc.js /assets/Models-5B6Tm1pm.css /assets/Models-Bw_78C9E.js /assets/NoAccess-B97VsWGx.js /assets/Notice-C3Y3OO7b.css /assets/Notice-ro3u2YQa.js /assets/OptionsPopover-BrxyEfvc.js /assets/Popover-BupY0PeL.css /assets/Popover-D7e7wpgP.js /assets/Progress-05SQbNJY.js /assets/Progress-CYkrPPat.css /assets/RecordingPage-3qC7NxZD.css /assets/RecordingPage-CM_jzJfI.js /assets/RowMenu-tULYB4_G.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/SecretsCard-B9_-MKLe.js /assets/Session-CQll3bv4.js /assets/SettingsPage-CsVGtHpp.js /assets/SettingsPage-QKY22DEo.css /assets/SimilarPanel-CpQTsG9L.css /assets/SimilarPanel-T8Qn24N2.js /assets/SortMenu-CaUs-2bX.js /assets/Switch-2xcnfXH4.css /assets/Switch-dIIdsccJ.js /assets/System-CZxKYRS_.js /assets/System-DFMURxih.css /assets/TemplateSelect-DznMLh3t.js /assets/Templates-CEOb9B7O.css /assets/Templates-CbTu2jNS.js /assets/TitleLink-D7Ur7Y60.js /assets/TitleLink-DhRjiIJE.css /assets/UploadsPanel-Cw5LutLW.css /assets/UploadsPanel-CwniS_A7.js /assets/VirtualRows-C54gJJZy.js /assets/Vocabulary-wTP09Bal.js /assets/Voices-DC1JzVZf.js /assets/Webhooks-DIRKxd6O.js /assets/archive-BdVwvdsM.js /assets/build-JHOqMV3f.js /assets/caller-C56lZdO7.js /assets/check-1wDaeDGR.js /assets/circle-check-s5xLciGs.js /assets/circle-x-DYNrX4oa.js /assets/copy-CUdNjIW_.js /assets/dist-BDf9LHMs.js /assets/dist-BpstZiA8.js /assets/download-1RMSeQdM.js /assets/download-C9xul74H.js /assets/duration-DQYx3ErL.js /assets/en-BNo94H3Q.js /assets/en-BOv6QPqy.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-D0XqwYG5.js /assets/en-D725PTq9.js /assets/en-D98Hz6ae.js /assets/en-DCZjcBFp.js /assets/en-DKr6F1up.js /assets/en-DpMU5QIv.js /assets/en-vBQMDB39.js /assets/esm-CoN091rj.js /assets/exportLibrary-B6INUMGp.js /assets/facets-BL3LtKTJ.js /assets/folder-0x-43tdf.js /assets/folder-BGtd_Pqc.css /assets/hash.worker-Dw8C2JF1.js /assets/index-CygIjvy2.js /assets/index-Dmui_-84.css /assets/ko-9R7jHh2c.js /assets/ko-9adVAthZ.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BirwHoMD.js /assets/ko-CQmvsgAC.js /assets/ko-CS9OoPje.js /assets/ko-CpypMmXy.js /assets/ko-OY8ebyB4.js /assets/ko-qDGJN5vn.js /assets/ko-w3yRVER5.js /assets/ko-yxA_OhgW.js /assets/languages-CbXlEwoe.js /assets/languages-DqZx_Ow6.js /assets/list-filter-Bz405S59.js /assets/live-DkWMhhUC.js /assets/manager-BFh0Oz4Z.js /assets/microphone-C9rt8M2P.js /assets/minus-DPefzxiV.js /assets/pause-BZZeasqg.js /assets/pencil-0CH_aFGz.js /assets/pick-CSIZDsgR.js /assets/play-DXjYoVW2.js /assets/plus-DuTVnswP.js /assets/processor-DILNMRN2.js /assets/refresh-cw-Ce7QyNav.js /assets/retry-CbXabenQ.js /assets/rotate-cw-Dros8Vn_.js /assets/scopes-DNGSmj8y.js /assets/script-BnedLirI.js /assets/search-BeS9AYHr.js /assets/search-x-WDKdZhXk.js /assets/services-gwfmr75h.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-DOssUa5_.js /assets/sparkles-DEce0WIi.js /assets/speakers-Bv2VNPBH.js /assets/square-CjT0ltrE.js /assets/start-25N6GGUX.js /assets/templates-DwBG56M4.js /assets/time-SHvUEns_.js /assets/timestamp-DLM9fSas.js /assets/trash-fuYqnuiF.js /assets/triangle-exclamation-point-QiNXLw-O.js /assets/undo-2-BTjB9ztR.js /assets/useAskBeforeLeaving-DvuQNs_Z.js /assets/useInfiniteQuery-CueEIfP1.js /assets/useMutation-DXVU3cTc.js /assets/user-round-DASf0hKP.js /assets/users-BL_RudLb.js /assets/voices-D6kAWqbf.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
