/*
 * Keeps the page's own files, so that it opens without the server and says itself that there is no connection. Calls,
 * media and the session are never kept. The build (offline.ts) puts in what belongs to this version.
 */
const VERSION = "2d38bf9825667a90";
const FILES = new Set("/apple-touch-icon.png /assets/ActivityPage-Cm9mtLgN.css /assets/ActivityPage-IOaovLec.js /assets/ApiKeys-D8QNdP71.js /assets/Badge-Bab-7wge.js /assets/Badge-xniGAPGy.css /assets/Box-BMPDBfOb.css /assets/Box-CfioJuaA.js /assets/CheckboxGroup-CUVkoM3S.js /assets/CheckboxGroup-Cg3ZhfzE.css /assets/CopyButton-D34mGHyI.js /assets/Dialog-BT2z84LJ.js /assets/Dialog-BlTNK-Zr.css /assets/Dialogs-CvOY5FbO.js /assets/Dialogs-vZwdvvgg.css /assets/Facts-Btsk_GWZ.js /assets/Facts-C3uvlfyY.css /assets/FilterPopover-Bzpf1hSC.css /assets/FilterPopover-C4AYR20v.js /assets/FindPage-B1ag0Kja.js /assets/FindPage-a1S40esH.css /assets/FolderField-BR5-jgiA.js /assets/FormDialog-BZty4jp7.js /assets/LanguageSelect-juaFtTg7.js /assets/LibraryPage-BFcBXk72.js /assets/LibraryPage-CzqWLzt8.css /assets/LiveDock-CrTgHLRJ.css /assets/LiveDock-DfWi_-cg.js /assets/LivePage-Bw6blEpx.js /assets/LivePage-Dc2f3K8W.css /assets/Menu-DL5s_c3Y.css /assets/Menu-NS7-cNSG.js /assets/MinutesPanel-4k2BsT7q.css /assets/MinutesPanel-DGKLSHbK.js /assets/Models-5B6Tm1pm.css /assets/Models-D6-kCTFD.js /assets/NoAccess-DC2w2LSj.js /assets/Notice-C3Y3OO7b.css /assets/Notice-mkNkwLCe.js /assets/OptionsPopover-CmJxkdT8.js /assets/Popover-BLskB2Sm.js /assets/Popover-BupY0PeL.css /assets/Progress-CYkrPPat.css /assets/Progress-DmrSq18T.js /assets/RecordingPage-3qC7NxZD.css /assets/RecordingPage-q1XQrSDv.js /assets/RowMenu-BoBO82zG.js /assets/SecretDialog-B5MXdmvb.css /assets/SecretDialog.module-IN_kQXW2.js /assets/SecretsCard-JVmkbWfh.js /assets/Session-CLtt8fgx.js /assets/SettingsPage-C45WD3Gx.js /assets/SettingsPage-QKY22DEo.css /assets/SimilarPanel-CSYkY4uq.js /assets/SimilarPanel-CpQTsG9L.css /assets/SortMenu-B_UzM5e5.js /assets/Switch-2xcnfXH4.css /assets/Switch-vlwG-S7W.js /assets/System-CvcsdsgB.js /assets/System-DFMURxih.css /assets/TemplateSelect-DsP_LDz2.js /assets/Templates-BRutoMg8.js /assets/Templates-CEOb9B7O.css /assets/TitleLink-DhRjiIJE.css /assets/TitleLink-DuoQemCX.js /assets/UploadsPanel-CZgEpVEE.js /assets/UploadsPanel-Cw5LutLW.css /assets/VirtualRows-BHWws04X.js /assets/Vocabulary-CnofI4lK.js /assets/Voices-C-6f5dTM.js /assets/Webhooks-UPz7zZXT.js /assets/archive-Cbvn3nBe.js /assets/build-ZcNlBM2k.js /assets/caller-DDy5Sikp.js /assets/check-Z6QJwvPX.js /assets/circle-check-Dbqi2FAZ.js /assets/circle-x-B_RlVXoh.js /assets/copy-CQrGsI8t.js /assets/dist-DS__I3MK.js /assets/dist-DaIzN4Wb.js /assets/download-BgUOFxkH.js /assets/download-xGXGaKZa.js /assets/duration-CHXK0qQD.js /assets/en-BNo94H3Q.js /assets/en-BOv6QPqy.js /assets/en-BfKpSD_H.js /assets/en-BnKGtDEg.js /assets/en-D0XqwYG5.js /assets/en-D725PTq9.js /assets/en-D98Hz6ae.js /assets/en-DCZjcBFp.js /assets/en-DKr6F1up.js /assets/en-DpMU5QIv.js /assets/en-vBQMDB39.js /assets/esm-9bCNyvNJ.js /assets/exportLibrary-S1JA1gYA.js /assets/facets-CRNmwACl.js /assets/folder-BGtd_Pqc.css /assets/folder-DKDoPoy9.js /assets/hash.worker-Dw8C2JF1.js /assets/index-Dmui_-84.css /assets/index-PVslZJ7A.js /assets/intl-BCObeZcq.js /assets/ko-9R7jHh2c.js /assets/ko-9adVAthZ.js /assets/ko-BEkB8GS9.js /assets/ko-BFr-NvpP.js /assets/ko-BirwHoMD.js /assets/ko-CQmvsgAC.js /assets/ko-CS9OoPje.js /assets/ko-CpypMmXy.js /assets/ko-OY8ebyB4.js /assets/ko-qDGJN5vn.js /assets/ko-w3yRVER5.js /assets/ko-yxA_OhgW.js /assets/languages-BRLb1TUa.js /assets/languages-Bj6lNqEW.js /assets/list-filter-tKFIIqZi.js /assets/live-BZ_uYFkP.js /assets/manager-C3EE52LP.js /assets/microphone-C9rt8M2P.js /assets/minus-BiAPFzj2.js /assets/pause-DOuEd1pd.js /assets/pencil-C6JZYboo.js /assets/pick-CSIZDsgR.js /assets/play-CnrZ8OEn.js /assets/plus-Bx30O450.js /assets/processor-DILNMRN2.js /assets/refresh-cw-B31grPq-.js /assets/retry-CfXJA-_6.js /assets/rotate-cw-BEH2nAem.js /assets/scopes-DefMxmvg.js /assets/script-BnedLirI.js /assets/search-vHJCc8Q2.js /assets/search-x-0-DMfqkO.js /assets/services-BXbbWJis.js /assets/size-CSDjFDPM.js /assets/sliders-horizontal-CUUwz44d.js /assets/sparkles-Bjr6Oe5A.js /assets/speakers-Bv2VNPBH.js /assets/square-BkCAVWFR.js /assets/start-Uj90ySBX.js /assets/templates-BQeu7qZ_.js /assets/time-BRrIbtG8.js /assets/timestamp-DXf4IQOo.js /assets/trash-CvJTptVJ.js /assets/triangle-exclamation-point-DmzDB5wb.js /assets/undo-2-CuyRl_lU.js /assets/useAskBeforeLeaving-iylWZOOn.js /assets/useInfiniteQuery-CtQrOBRK.js /assets/useMutation-CcRRqVYS.js /assets/user-round-CYe0yFrJ.js /assets/users-D2fubtuO.js /assets/voices-BYd4VA-g.js /icon-192.png /icon-512.png /icon-maskable-192.png /icon-maskable-512.png /icon.svg /index.html /manifest.webmanifest /theme.js".split(" "));

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
