import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useErrorText } from "@/api/errors";
import styles from "./Notice.module.css";

export type NoticeTone = "neutral" | "warning" | "danger";

const ICONS = { neutral: Info, warning: TriangleAlert, danger: CircleAlert } as const;

type NoticeProps = { tone?: NoticeTone; action?: ReactNode; children: ReactNode };

/** A sentence on the state of what stands below it, with the way out. */
export function Notice({ tone = "neutral", action, children }: NoticeProps) {
  const Icon = ICONS[tone];
  return (
    <div className={`${styles.notice} ${styles[tone]}`} role={tone === "danger" ? "alert" : undefined}>
      <Icon aria-hidden />
      <div className={styles.text}>{children}</div>
      {action}
    </div>
  );
}

/** What went wrong with what stands here. */
export function ErrorNotice({ error }: { error: unknown }) {
  return <Notice tone="danger">{useErrorText(error)}</Notice>;
}
