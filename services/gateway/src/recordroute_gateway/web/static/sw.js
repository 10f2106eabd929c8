/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "0b15791922626fbc";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-C19l4CS2.css /assets/ActivityPage-DIFZZJLU.js /assets/ApiKeys-BvYNNS_-.js /assets/ApiKeys-FBkSPB4Z.css /assets/ApiKeys.module-CzD--40b.js /assets/Badge-C8AYy6qg.js /assets/Badge-xniGAPGy.css /assets/CopyButton-BXC3AlSL.js /assets/Dialog-CI5se7AD.css /assets/Dialog-fsMKrZcA.js /assets/Dialogs-DYfupNzU.js /assets/Dialogs-e4OZsjZT.css /assets/Facts-BoUlXs8S.js /assets/Facts-C3uvlfyY.css /assets/FilterPopover-Ddr_rQ-7.js /assets/FilterPopover-kAnT6jIj.css /assets/FindPage-C1Ujfi52.css /assets/FindPage-WMW9pX-E.js /assets/LibraryPage-BjLbl6uv.js /assets/LibraryPage-uKJ-pAMx.css /assets/LiveDock-CrTgHLRJ.css /assets/LiveDock-D8fxKE0X.js /assets/LivePage-BExM3KBe.css /assets/LivePage-DiWEkLeg.js /assets/Menu-CT0VJNQc.js /assets/Menu-DL5s_c3Y.css /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-CnkGjxOt.js /assets/Models-5B6Tm1pm.css /assets/Models-vDlOtcfE.js /assets/NoAccess-ceaNaxKu.js /assets/Notice-C3Y3OO7b.css /assets/Notice-CbhNlRec.js /assets/OptionsPopover-BPIFUszO.js /assets/Popover-BupY0PeL.css /assets/Popover-kuIWIP42.js /assets/Progress-CYkrPPat.css /assets/Progress-ClVfguTU.js /assets/RecordingPage-BBEDJ2dg.js /assets/RecordingPage-kohuvRNi.css /assets/RowMenu-DERLJAtw.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/Session-PPCxCUFT.js /assets/SettingsPage-BJ-zvxLk.js /assets/SettingsPage-CVCpHtzT.css /assets/SimilarPanel-C5ktLonO.js /assets/SimilarPanel-CpQTsG9L.css /assets/SortMenu-BjAxc90_.js /assets/Switch-2xcnfXH4.css /assets/Switch-HcOgko4H.js /assets/System-Bh0npYO7.js /assets/System-DFMURxih.css /assets/Templates-DgFjvnqy.js /assets/Templates-ie2SX_ta.css /assets/UploadsPanel-B9U0PLhP.js /assets/UploadsPanel-Cw5LutLW.css /assets/VirtualRows-YYkEJydy.js /assets/Vocabulary-CQIRhJei.js /assets/Voices-DoU8pKtg.js /assets/Webhooks-Iiw98pDD.js /assets/archive-CVrpQgjX.js /assets/build-knjUhy4T.js /assets/caller-DWrDHXjE.js /assets/check-8AtvElPt.js /assets/circle-check-Qttb8N8Q.js /assets/circle-x-Bl7wnT1t.js /assets/copy-BDPHonJD.js /assets/dist-BrPSrity.js /assets/dist-IRtHBEAf.js /assets/download-C-CEM_cJ.js /assets/download-DpagqAHp.js /assets/duration-BNG3QMiq.js /assets/en-BYuNt_ez.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-Bu1NQvhw.js /assets/en-D98Hz6ae.js /assets/en-DGI6eyMd.js /assets/en-DKr6F1up.js /assets/en-DiqmUX8I.js /assets/en-DxU5Zn38.js /assets/en-YIdnSqW9.js /assets/en-vBQMDB39.js /assets/esm-OqjGnGE1.js /assets/exportLibrary-BYFIYe4y.js /assets/folder-BGtd_Pqc.css /assets/folder-RBn1seo9.js /assets/hash.worker-Dw8C2JF1.js /assets/index-DExmZEK9.js /assets/index-Dac12wFk.css /assets/ko-9R7jHh2c.js /assets/ko-9YDMNdkP.js /assets/ko-B-Ipepvt.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BcxSBqLN.js /assets/ko-Ce9EwVfv.js /assets/ko-CvQZfnkj.js /assets/ko-DG91dkrX.js /assets/ko-DpuISlHL.js /assets/ko-mKEgntSn.js /assets/ko-w3yRVER5.js /assets/languages-Bd60vsij.js /assets/languages-DqZx_Ow6.js /assets/list-filter-CKX6Tg8W.js /assets/live-B-Qt93w_.js /assets/manager-_I0k-j1D.js /assets/microphone-vMKgH9GJ.js /assets/minus-BbBjFpz1.js /assets/pause-DpcnoJxR.js /assets/pencil-Cxg8NOxW.js /assets/pick-CSIZDsgR.js /assets/play-8HHkbsaU.js /assets/plus-BkJPci4m.js /assets/processor-DILNMRN2.js /assets/refresh-cw-BLROB-1Y.js /assets/retry-CpHTFFX0.js /assets/rotate-cw-Bwp8r_yE.js /assets/scopes-BT6ZceIe.js /assets/script-BnedLirI.js /assets/search-WRVkZ3Y3.js /assets/search-x-B3U-_JBi.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-C-AHUbql.js /assets/sparkles-CPw9D1Pw.js /assets/speakers-RU0SnU8b.js /assets/square-pXXhIEId.js /assets/start-BfmBYEHJ.js /assets/templates-qW8FGyYU.js /assets/time-LQ7uyPLr.js /assets/timestamp-BFqO4yrr.js /assets/trash-C0O8Cga6.js /assets/triangle-exclamation-point-Yu1RancH.js /assets/undo-2-DEGQvjti.js /assets/useAskBeforeLeaving-CrkQbiAa.js /assets/useInfiniteQuery-BSeDqE9o.js /assets/useMutation-vtBPWUrT.js /assets/user-round-JD0617Kj.js /assets/users-kK1qSQ5T.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
