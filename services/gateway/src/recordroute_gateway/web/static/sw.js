/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "e1829ea189bee73b";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-C19l4CS2.css /assets/ActivityPage-TKTXoOKJ.js /assets/ApiKeys-COmBjui_.js /assets/ApiKeys-FBkSPB4Z.css /assets/ApiKeys.module-CLeRhFjP.js /assets/Badge-Cvy3B_4V.js /assets/Badge-xniGAPGy.css /assets/CopyButton-D9iNMRee.js /assets/Dialog-BFttrgZg.js /assets/Dialog-CI5se7AD.css /assets/Dialogs-Cwo3VxL0.js /assets/Dialogs-e4OZsjZT.css /assets/Facts-72ZLliSo.js /assets/Facts-C3uvlfyY.css /assets/FilterPopover-DigXlsD7.js /assets/FilterPopover-kAnT6jIj.css /assets/FindPage-C1Ujfi52.css /assets/FindPage-CYgvxXhK.js /assets/LibraryPage-CWTbZHHM.js /assets/LibraryPage-uKJ-pAMx.css /assets/LiveDock-CrTgHLRJ.css /assets/LiveDock-Dx7Mp5a4.js /assets/LivePage-BExM3KBe.css /assets/LivePage-D4ptW8nl.js /assets/Menu-C0rpd5k2.js /assets/Menu-DL5s_c3Y.css /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-x6Smu2MQ.js /assets/Models-5B6Tm1pm.css /assets/Models-CflhKkgD.js /assets/NoAccess-Dqfj-1Uw.js /assets/Notice-C3Y3OO7b.css /assets/Notice-ChXfMfSx.js /assets/OptionsPopover-BNKlBuy6.js /assets/Popover-BupY0PeL.css /assets/Popover-vdHDLQeL.js /assets/Progress-CYkrPPat.css /assets/Progress-CmJxGAEe.js /assets/RecordingPage-CS7MqtXj.js /assets/RecordingPage-kohuvRNi.css /assets/RowMenu-CLPa8COz.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/Session-_qCBDfun.js /assets/SettingsPage-CVCpHtzT.css /assets/SettingsPage-PUbc3OdW.js /assets/SimilarPanel-CRNjR55l.js /assets/SimilarPanel-CpQTsG9L.css /assets/SortMenu-DrfgYKZp.js /assets/Switch-2xcnfXH4.css /assets/Switch-CwBhBCzU.js /assets/System-DFMURxih.css /assets/System-DXsJrjW7.js /assets/Templates-B3P2elKj.js /assets/Templates-ie2SX_ta.css /assets/UploadsPanel-Cw5LutLW.css /assets/UploadsPanel-LE0dQ9K4.js /assets/VirtualRows-CgABkw2l.js /assets/Vocabulary-ZxwGr3P9.js /assets/Voices-BOLVzyno.js /assets/Webhooks-DdW_VwIy.js /assets/archive-qvwcbPO7.js /assets/build-4-QG21Nj.js /assets/caller-AF_ccp9z.js /assets/check-DdaqjZre.js /assets/circle-check-BasqG0d3.js /assets/circle-x-BhHz5rF1.js /assets/copy-BDLscRaN.js /assets/dist-BJnFztON.js /assets/dist-CIv08o9h.js /assets/download-B78lWGGM.js /assets/download-DNCom5St.js /assets/duration-CjiLW6Iq.js /assets/en-BYuNt_ez.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-Bu1NQvhw.js /assets/en-D98Hz6ae.js /assets/en-DGI6eyMd.js /assets/en-DKr6F1up.js /assets/en-DiqmUX8I.js /assets/en-DxU5Zn38.js /assets/en-YIdnSqW9.js /assets/en-vBQMDB39.js /assets/esm-B5Wfcj7b.js /assets/exportLibrary-BHl_niW9.js /assets/folder-BGtd_Pqc.css /assets/folder-CL0d0brk.js /assets/hash.worker-Dw8C2JF1.js /assets/index-10sLat3L.js /assets/index-Dac12wFk.css /assets/ko-9R7jHh2c.js /assets/ko-9YDMNdkP.js /assets/ko-B-Ipepvt.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BcxSBqLN.js /assets/ko-Ce9EwVfv.js /assets/ko-CvQZfnkj.js /assets/ko-DG91dkrX.js /assets/ko-DpuISlHL.js /assets/ko-mKEgntSn.js /assets/ko-w3yRVER5.js /assets/languages--GRdJR6d.js /assets/languages-DqZx_Ow6.js /assets/list-filter-iUNZr3iK.js /assets/live-CmbmAAye.js /assets/manager-Di0LOOQj.js /assets/microphone-vMKgH9GJ.js /assets/minus-UJ-afwTQ.js /assets/pause-DB7X7BxD.js /assets/pencil-CyR4JZGY.js /assets/pick-CSIZDsgR.js /assets/play-Dp8NJhgf.js /assets/plus-DabcaRw4.js /assets/processor-DILNMRN2.js /assets/refresh-cw-GIiDuvFk.js /assets/retry-BoSca4Mt.js /assets/rotate-cw-8jFuenIE.js /assets/scopes-vf6ff4SN.js /assets/script-BnedLirI.js /assets/search-8EVUYYZp.js /assets/search-x-ciJf8ee3.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-DlldJsg7.js /assets/sparkles-KgBBnTm1.js /assets/speakers-RU0SnU8b.js /assets/square-BiPuIhZc.js /assets/start-CQnp8uom.js /assets/templates-D0QRkbLq.js /assets/time-LQ7uyPLr.js /assets/timestamp-Byu_Dt6Q.js /assets/trash-DhaOoVah.js /assets/triangle-exclamation-point-BTIsRVpG.js /assets/undo-2-D28BeGgX.js /assets/useAskBeforeLeaving-BaIc3kVK.js /assets/useInfiniteQuery-DHns6LDh.js /assets/useMutation-CTt4Tya0.js /assets/user-round-BQ9PE5ET.js /assets/users-DjNTEsn7.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
