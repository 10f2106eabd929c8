/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "044871c23e94ef3b";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-C19l4CS2.css /assets/ActivityPage-CjjM-U9R.js /assets/ApiKeys-B3N5qP-h.js /assets/ApiKeys-FBkSPB4Z.css /assets/ApiKeys.module-qWJ3CV3w.js /assets/Badge-C_-b4KxL.js /assets/Badge-xniGAPGy.css /assets/CopyButton-D2yarXYi.js /assets/Dialog-BFoz_IL2.js /assets/Dialog-CI5se7AD.css /assets/Dialogs-bGM4C8LC.js /assets/Dialogs-e4OZsjZT.css /assets/Facts-C3uvlfyY.css /assets/Facts-C7Gll_Yg.js /assets/FilterPopover-TS0wc9fC.js /assets/FilterPopover-kAnT6jIj.css /assets/FindPage-C1Ujfi52.css /assets/FindPage-DpTWIJKm.js /assets/LibraryPage-Dj29Pfc2.js /assets/LibraryPage-uKJ-pAMx.css /assets/LiveDock-BnQHN9mX.js /assets/LiveDock-CrTgHLRJ.css /assets/LivePage-0Y1vzbiX.js /assets/LivePage-BExM3KBe.css /assets/Menu-DL5s_c3Y.css /assets/Menu-DuevN-FN.js /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-7o6ZTrHa.js /assets/Models-5B6Tm1pm.css /assets/Models-yASJXQBm.js /assets/NoAccess-3eZiTZH8.js /assets/Notice-C3Y3OO7b.css /assets/Notice-D_nWfOwI.js /assets/OptionsPopover-B8IW-_Da.js /assets/Popover-B2SFi5_y.js /assets/Popover-BupY0PeL.css /assets/Progress-BHBd8YLZ.js /assets/Progress-CYkrPPat.css /assets/RecordingPage-DHq4PcFP.js /assets/RecordingPage-kohuvRNi.css /assets/RowMenu-BPPxbMCF.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/Session-07v87KSE.js /assets/SettingsPage-BGJxaGsC.js /assets/SettingsPage-CsBCMt3H.css /assets/SimilarPanel-4YvKJI9B.js /assets/SimilarPanel-CpQTsG9L.css /assets/SortMenu-Dn4ZnLuY.js /assets/Switch-2xcnfXH4.css /assets/Switch-hc8tZvum.js /assets/System-B50MbYyf.js /assets/System-DFMURxih.css /assets/Templates-CAoZBJGD.js /assets/Templates-ie2SX_ta.css /assets/UploadsPanel-Cw5LutLW.css /assets/UploadsPanel-DfniYDuT.js /assets/VirtualRows-Be0OY7N0.js /assets/Vocabulary-C2H5a_3q.js /assets/Voices-_ydu1d_d.js /assets/Webhooks-dbK2pplO.js /assets/archive-CnOXmMto.js /assets/build-DgGYUTFH.js /assets/caller-BcpZ80tu.js /assets/check-TKAy9olW.js /assets/chevron-up-Dop2UWPd.js /assets/circle-check-DtyJFiQ4.js /assets/circle-x-DHH2t5uk.js /assets/copy-CYQmseN5.js /assets/dist-CPwV1icE.js /assets/dist-iSklLiJc.js /assets/download-DA5fDuY8.js /assets/download-Ig8xZQku.js /assets/duration-DZ2a8Fh6.js /assets/en-BYuNt_ez.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-Bu1NQvhw.js /assets/en-D98Hz6ae.js /assets/en-DGI6eyMd.js /assets/en-DKr6F1up.js /assets/en-DiqmUX8I.js /assets/en-DxU5Zn38.js /assets/en-YIdnSqW9.js /assets/en-vBQMDB39.js /assets/esm-ctXYhCOg.js /assets/exportLibrary-C4ERw6p8.js /assets/folder-BGtd_Pqc.css /assets/folder-BK6KqLhP.js /assets/hash.worker-Dw8C2JF1.js /assets/index-C21waI-Q.js /assets/index-Dac12wFk.css /assets/ko-9R7jHh2c.js /assets/ko-9YDMNdkP.js /assets/ko-B-Ipepvt.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BcxSBqLN.js /assets/ko-Ce9EwVfv.js /assets/ko-CvQZfnkj.js /assets/ko-DG91dkrX.js /assets/ko-DpuISlHL.js /assets/ko-mKEgntSn.js /assets/ko-w3yRVER5.js /assets/languages-D0QItkhX.js /assets/languages-DqZx_Ow6.js /assets/list-filter-Dlsv_0mv.js /assets/live-CJOTKZ4I.js /assets/manager-ChY7EWNd.js /assets/microphone-vMKgH9GJ.js /assets/minus-Bw3zbDQ_.js /assets/pause-HcVZZJFM.js /assets/pencil-CcbN3PPz.js /assets/pick-CSIZDsgR.js /assets/play-DQKkleFY.js /assets/plus-CkE-iSIh.js /assets/processor-DILNMRN2.js /assets/refresh-cw-RqMh8CdB.js /assets/retry-CHi6Xzz8.js /assets/rotate-cw-8xsJkB0b.js /assets/scopes-BeruKu-a.js /assets/script-BnedLirI.js /assets/search-Bh2oELM2.js /assets/search-x-D7dwotxA.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-Cw2ArCOT.js /assets/sparkles-DM3bT9LO.js /assets/speakers-RU0SnU8b.js /assets/square-BTHgZkD5.js /assets/start-DjIsFflf.js /assets/templates-D41EJkel.js /assets/time-LQ7uyPLr.js /assets/timestamp-CjHe963Z.js /assets/trash-CvKCDFPM.js /assets/triangle-exclamation-point-VfFoLdnZ.js /assets/undo-2-B20GJzji.js /assets/useInfiniteQuery-u6xPrOd8.js /assets/useMutation-BAqPZoSA.js /assets/user-round-Cv3mzYPh.js /assets/users-SrUnvPcY.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
