/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "6bf04da340e20986";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-C19l4CS2.css /assets/ActivityPage-Ce-aDNjs.js /assets/ApiKeys-CH2YG9jx.js /assets/ApiKeys-FBkSPB4Z.css /assets/ApiKeys.module-Bl7aajur.js /assets/Badge-B-Ez8mQ6.js /assets/Badge-xniGAPGy.css /assets/CopyButton-DvLWQDN_.js /assets/Dialog-Bjn8TzkG.js /assets/Dialog-CI5se7AD.css /assets/Dialogs-e4OZsjZT.css /assets/Dialogs-eMSVRWWv.js /assets/Facts-C3uvlfyY.css /assets/Facts-C8aHjHyK.js /assets/FilterPopover-BOSH3Pp3.js /assets/FilterPopover-kAnT6jIj.css /assets/FindPage-BzeLumdz.js /assets/FindPage-C1Ujfi52.css /assets/LibraryPage-Bv2FdGzc.js /assets/LibraryPage-uKJ-pAMx.css /assets/LiveDock-C-C3wWEp.js /assets/LiveDock-CrTgHLRJ.css /assets/LivePage-BExM3KBe.css /assets/LivePage-Dfjgtc_g.js /assets/Menu-BvxZR94G.js /assets/Menu-DL5s_c3Y.css /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-CjRe0VcU.js /assets/Models-5B6Tm1pm.css /assets/Models-DgFmscj-.js /assets/NoAccess-DhzJae5e.js /assets/Notice-C3Y3OO7b.css /assets/Notice-DRRydc9X.js /assets/OptionsPopover-BkpSUw-4.js /assets/Popover-BupY0PeL.css /assets/Popover-CTdsaoGi.js /assets/Progress-BVE34UEe.js /assets/Progress-CYkrPPat.css /assets/RecordingPage-9GkGwlwF.js /assets/RecordingPage-kohuvRNi.css /assets/RowMenu-D3vb60Qu.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/Session-DTVAAMPO.js /assets/SettingsPage-CI_dsd8q.js /assets/SettingsPage-CVCpHtzT.css /assets/SimilarPanel-B1WIjAu-.js /assets/SimilarPanel-CpQTsG9L.css /assets/SortMenu-CKBoKK1D.js /assets/Switch-2xcnfXH4.css /assets/Switch-iYxrbfG9.js /assets/System-DFMURxih.css /assets/System-zPJOyZ2h.js /assets/Templates-Lu9Z-7H5.js /assets/Templates-ie2SX_ta.css /assets/UploadsPanel-CEu7rN_o.js /assets/UploadsPanel-Cw5LutLW.css /assets/VirtualRows-DQjEjw8U.js /assets/Vocabulary-BSjsc2hQ.js /assets/Voices-B-otFpqz.js /assets/Webhooks-Cqmhd-hf.js /assets/archive-Cx5EOQ7I.js /assets/build-BmePW5PA.js /assets/caller-Ck-K5PiF.js /assets/check-CbH6tgpz.js /assets/circle-check-DdmW_c4Y.js /assets/circle-x-gn-Yr5xv.js /assets/copy-CUKBcaLu.js /assets/dist-B40vtQpO.js /assets/dist-BK9D2umZ.js /assets/download-gLzhZZrc.js /assets/download-o6i93hK0.js /assets/duration-CV5ym2-F.js /assets/en-BYuNt_ez.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-Bu1NQvhw.js /assets/en-D98Hz6ae.js /assets/en-DGI6eyMd.js /assets/en-DKr6F1up.js /assets/en-DiqmUX8I.js /assets/en-DxU5Zn38.js /assets/en-YIdnSqW9.js /assets/en-vBQMDB39.js /assets/esm-CYTBan7J.js /assets/exportLibrary-_52lpqP5.js /assets/folder-BGtd_Pqc.css /assets/folder-CsDLfb9e.js /assets/hash.worker-Dw8C2JF1.js /assets/index-CGjcu8_O.js /assets/index-Dac12wFk.css /assets/ko-9R7jHh2c.js /assets/ko-9YDMNdkP.js /assets/ko-B-Ipepvt.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BcxSBqLN.js /assets/ko-Ce9EwVfv.js /assets/ko-CvQZfnkj.js /assets/ko-DG91dkrX.js /assets/ko-DpuISlHL.js /assets/ko-mKEgntSn.js /assets/ko-w3yRVER5.js /assets/languages-CJJB5-Ah.js /assets/languages-DqZx_Ow6.js /assets/list-filter-DYIcRXF9.js /assets/live-C9LPOMEh.js /assets/manager-Ckbel1ME.js /assets/microphone-vMKgH9GJ.js /assets/minus-GLutb_XV.js /assets/pause-DCNiq5gm.js /assets/pencil-CntJ2z95.js /assets/pick-CSIZDsgR.js /assets/play-BO9C-P_p.js /assets/plus-DGTU8CQt.js /assets/processor-DILNMRN2.js /assets/refresh-cw-CSeakwMk.js /assets/retry-HEyElVHb.js /assets/rotate-cw-Cj5rg7xV.js /assets/scopes-DbIKJ8LA.js /assets/script-BnedLirI.js /assets/search-DoQX1Exu.js /assets/search-x-MU1MDFeA.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-D2olFiul.js /assets/sparkles-DJx2v9N9.js /assets/speakers-RU0SnU8b.js /assets/square-B0cmei_x.js /assets/start-CmmOKLEH.js /assets/templates-DJYb0mg8.js /assets/time-LQ7uyPLr.js /assets/timestamp-BYDyfoLy.js /assets/trash-tRKNaTFb.js /assets/triangle-exclamation-point-DbwevHV2.js /assets/undo-2-B4HZgrXI.js /assets/useAskBeforeLeaving-BS71WyQr.js /assets/useInfiniteQuery-DpRK26jO.js /assets/useMutation-DEmximj6.js /assets/user-round-Dqj83WFv.js /assets/users-2uMObE6F.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
