/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "7788e2ea8ff45d78";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-BlBjyvPj.js /assets/ActivityPage-C19l4CS2.css /assets/ApiKeys-D3sKZxCH.js /assets/ApiKeys-FBkSPB4Z.css /assets/ApiKeys.module-JmX7E_Pc.js /assets/Badge-tbl2rklT.js /assets/Badge-xniGAPGy.css /assets/CopyButton-BZNqdZ2e.js /assets/Dialog-CI5se7AD.css /assets/Dialog-DtqaPAib.js /assets/Dialogs-DMCVwQwW.js /assets/Dialogs-e4OZsjZT.css /assets/Facts-B5N6eraW.js /assets/Facts-C3uvlfyY.css /assets/FilterPopover-BaEakURX.js /assets/FilterPopover-kAnT6jIj.css /assets/FindPage-C1Ujfi52.css /assets/FindPage-DY5Huku5.js /assets/LibraryPage-iFtyUH83.js /assets/LibraryPage-uKJ-pAMx.css /assets/LiveDock-CEavj4AO.js /assets/LiveDock-CrTgHLRJ.css /assets/LivePage-BExM3KBe.css /assets/LivePage-DR9ZGpAH.js /assets/Menu-C6j1mlJP.js /assets/Menu-DL5s_c3Y.css /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-UDf-EYVQ.js /assets/Models-5B6Tm1pm.css /assets/Models-D0iHG-l_.js /assets/NoAccess-2O983TV-.js /assets/Notice-C3Y3OO7b.css /assets/Notice-CPWl1A5x.js /assets/OptionsPopover-BJhH4z_i.js /assets/Popover-BupY0PeL.css /assets/Popover-DxtMVQ1V.js /assets/Progress-CYkrPPat.css /assets/Progress-DwfEr8TV.js /assets/RecordingPage-DDd-VyT5.js /assets/RecordingPage-kohuvRNi.css /assets/RowMenu-DuZh_MgN.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/Session-jbgwb62F.js /assets/SettingsPage-CVCpHtzT.css /assets/SettingsPage-DWV7lS30.js /assets/SimilarPanel-CpQTsG9L.css /assets/SimilarPanel-CyBj-UIF.js /assets/SortMenu-BFEoi9ze.js /assets/Switch-2xcnfXH4.css /assets/Switch-CTFjcVTp.js /assets/System-C3XSRjOB.js /assets/System-DFMURxih.css /assets/Templates-CzqQGNGF.js /assets/Templates-ie2SX_ta.css /assets/UploadsPanel-BBojlPy5.js /assets/UploadsPanel-Cw5LutLW.css /assets/VirtualRows-mPZb-75S.js /assets/Vocabulary-BuhT9fJ_.js /assets/Voices-CIzdSmDU.js /assets/Webhooks-DfdcMmpO.js /assets/archive-CUR6KMHN.js /assets/build-DsjmyhL1.js /assets/caller-lxq25oWO.js /assets/check-DWErMuBW.js /assets/circle-check-Bx5FNUjR.js /assets/circle-x-hP5mz7Mm.js /assets/copy-CsksRXs6.js /assets/dist-NN4UrXdQ.js /assets/dist-eJiURtZ-.js /assets/download-9_Evs4HI.js /assets/download-BGxoTl_N.js /assets/duration-CL2zkBZp.js /assets/en-BYuNt_ez.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-Bu1NQvhw.js /assets/en-D98Hz6ae.js /assets/en-DGI6eyMd.js /assets/en-DKr6F1up.js /assets/en-DiqmUX8I.js /assets/en-DxU5Zn38.js /assets/en-YIdnSqW9.js /assets/en-vBQMDB39.js /assets/esm-CkTHfydN.js /assets/exportLibrary-Dv-abpHB.js /assets/folder-BGtd_Pqc.css /assets/folder-DoL2apKy.js /assets/hash.worker-Dw8C2JF1.js /assets/index-BCLjcSpY.js /assets/index-Dac12wFk.css /assets/ko-9R7jHh2c.js /assets/ko-9YDMNdkP.js /assets/ko-B-Ipepvt.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BcxSBqLN.js /assets/ko-Ce9EwVfv.js /assets/ko-CvQZfnkj.js /assets/ko-DG91dkrX.js /assets/ko-DpuISlHL.js /assets/ko-mKEgntSn.js /assets/ko-w3yRVER5.js /assets/languages-CrmnFHaf.js /assets/languages-DqZx_Ow6.js /assets/list-filter-BsRIVciA.js /assets/live-wjvH-xua.js /assets/manager-D2iYHbwV.js /assets/microphone-vMKgH9GJ.js /assets/minus-DMo_3cC-.js /assets/pause-jKvWTRU2.js /assets/pencil-96H5s6Bf.js /assets/pick-CSIZDsgR.js /assets/play-DgNKuimO.js /assets/plus-D4X-q7Q9.js /assets/processor-DILNMRN2.js /assets/refresh-cw-BqCD_kAk.js /assets/retry-vEaLusZC.js /assets/rotate-cw-C0xBLOzF.js /assets/scopes-qVaX4HrO.js /assets/script-BnedLirI.js /assets/search-D0PzgWq1.js /assets/search-x-B-QrbdCP.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-BxJNrvfs.js /assets/sparkles-BgOqMKoE.js /assets/speakers-RU0SnU8b.js /assets/square-BejF46-W.js /assets/start-Bq_41pTU.js /assets/templates-o_XMGS72.js /assets/time-LQ7uyPLr.js /assets/timestamp-D4MBU85o.js /assets/trash-CXoBKhCz.js /assets/triangle-exclamation-point-BaYCKzy8.js /assets/undo-2-B8Qbk9Mm.js /assets/useAskBeforeLeaving-C_f0keQ9.js /assets/useInfiniteQuery-CX_zhQUi.js /assets/useMutation-Crgx7L1n.js /assets/user-round-HKlYcX_J.js /assets/users-D8McRQHa.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
