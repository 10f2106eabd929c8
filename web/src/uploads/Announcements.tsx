import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import type { UploadsSnapshot } from "./manager";

const STEP_PERCENT = 25;

/** Tells screen readers what matters, and no more often than each quarter. */
export function Announcements({ snapshot: { uploads, summary } }: { snapshot: UploadsSnapshot }) {
  const { t } = useTranslation("uploads");
  const [text, setText] = useState("");
  const told = useRef({ count: 0, step: 0, failed: new Set<string>() });
  const percent = summary.totalBytes === 0 ? 0 : (summary.sentBytes / summary.totalBytes) * 100;
  const step = Math.floor(percent / STEP_PERCENT);
  useEffect(() => {
    const failed = uploads.find(({ id, state }) => state === "failed" && !told.current.failed.has(id));
    if (failed !== undefined) {
      told.current.failed.add(failed.id);
      setText(t("announceFailed", { name: failed.fileName }));
    } else if (summary.count > told.current.count) {
      setText(t("announceStart", { count: summary.count }));
    } else if (summary.count === 0 && told.current.count > 0) {
      if (uploads.some(({ state }) => state === "done")) setText(t("announceDone"));
    } else if (step > told.current.step) {
      setText(t("announceProgress", { percent: step * STEP_PERCENT }));
    }
    told.current.count = summary.count;
    told.current.step = step;
  }, [uploads, summary.count, step, t]);
  return (
    <p role="status" className="visually-hidden">
      {text}
    </p>
  );
}
