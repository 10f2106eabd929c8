import { ChevronDown, ChevronUp, X } from "lucide-react";
import { useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import { currentLanguage } from "@/i18n";
import { span } from "@/lib/time";
import { useAskBeforeLeaving } from "@/lib/useAskBeforeLeaving";
import { IconButton } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { Announcements } from "./Announcements";
import { isUnderWay, type UploadManager, type UploadsSnapshot } from "./manager";
import type { Upload } from "./types";
import { UploadRow } from "./UploadRow";
import styles from "./UploadsPanel.module.css";
import { openUploads, rememberPending } from "./uploads";

/** Shows the uploads; loads them first. */
export default function UploadsPanel({ user }: { user: string }) {
  const [uploads, setUploads] = useState<UploadManager>();
  useEffect(() => {
    let isHere = true;
    void openUploads(user).then((opened) => {
      if (isHere) setUploads(opened);
    });
    return () => {
      isHere = false;
    };
  }, [user]);
  return uploads === undefined ? null : <Panel uploads={uploads} />;
}

/** Warns before the page is left while something is under way, and remembers to look for it afterwards. */
function useLeaving({ uploads }: UploadsSnapshot): void {
  const isBusy = uploads.some(isUnderWay);
  const isLeft = uploads.some((upload) => upload.state !== "done");
  useEffect(() => rememberPending(isLeft), [isLeft]);
  useAskBeforeLeaving(isBusy);
}

/** Tells the page how high the panel is, so that nothing has to be behind it. */
function useHeight(panel: React.RefObject<HTMLElement | null>, isShown: boolean): void {
  useEffect(() => {
    const shown = panel.current;
    if (!isShown || shown === null) return;
    const root = document.documentElement.style;
    const observer = new ResizeObserver(() => root.setProperty("--dock", `${shown.offsetHeight + 16}px`));
    observer.observe(shown);
    return () => {
      observer.disconnect();
      root.removeProperty("--dock");
    };
  }, [panel, isShown]);
}

function needsUser({ state }: Upload): boolean {
  return state === "failed" || state === "duplicate" || state === "needsFile";
}

function canBeCleared({ state }: Upload): boolean {
  return state === "done" || state === "failed" || state === "duplicate";
}

function Panel({ uploads: manager }: { uploads: UploadManager }) {
  const { t } = useTranslation("uploads");
  const snapshot = useSyncExternalStore(manager.subscribe, manager.getSnapshot);
  const { uploads, summary } = snapshot;
  const [isOpen, setIsOpen] = useState(true);
  const panel = useRef<HTMLElement>(null);
  useLeaving(snapshot);
  useHeight(panel, uploads.length > 0);
  if (uploads.length === 0) return <Announcements snapshot={snapshot} />;
  const attention = uploads.filter(needsUser).length;
  const title =
    summary.count > 0
      ? t("titleRunning", { count: summary.count })
      : attention > 0
        ? t("titleStopped", { count: attention })
        : uploads.some(({ state }) => state === "paused")
          ? t("titlePaused")
          : t("titleDone");
  const percent = summary.totalBytes === 0 ? null : (summary.sentBytes / summary.totalBytes) * 100;
  const notes = [
    summary.count > 0 && percent !== null ? `${Math.floor(percent)}%` : "",
    summary.count > 0 && summary.remaining !== null
      ? t("remaining", { time: span(summary.remaining, currentLanguage()) })
      : "",
    summary.count > 0 && attention > 0 ? t("attention", { count: attention }) : "",
  ].filter(Boolean);
  return (
    <section ref={panel} className={styles.panel} aria-label={t("title")}>
      <Announcements snapshot={snapshot} />
      <header className={styles.header}>
        <div className={styles.heading}>
          <h2 className={styles.title}>{title}</h2>
          {notes.length > 0 && <p className={styles.notes}>{notes.join(" · ")}</p>}
        </div>
        <IconButton
          size="small"
          label={t(isOpen ? "collapse" : "expand")}
          icon={isOpen ? <ChevronDown /> : <ChevronUp />}
          aria-expanded={isOpen}
          onClick={() => setIsOpen(!isOpen)}
        />
        {summary.count === 0 && uploads.some(canBeCleared) && (
          <IconButton size="small" label={t("clear")} icon={<X />} onClick={() => manager.clear()} />
        )}
      </header>
      {summary.count > 0 && !isOpen && (
        <div className={styles.total}>
          <Progress label={t("total")} percent={percent} />
        </div>
      )}
      {isOpen && (
        <ul className={styles.list}>
          {uploads.map((upload) => (
            <UploadRow key={upload.id} upload={upload} manager={manager} />
          ))}
        </ul>
      )}
    </section>
  );
}
