import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useErrorText } from "@/api/errors";
import { Button } from "./Button";
import { Spinner } from "./Spinner";
import styles from "./State.module.css";

type EmptyStateProps = { icon: ReactNode; title: string; text?: ReactNode; action?: ReactNode };

/** There is nothing here: why, and the way out. */
export function EmptyState({ icon, title, text, action }: EmptyStateProps) {
  return (
    <div className={styles.state}>
      <span className={styles.icon}>{icon}</span>
      <h2>{title}</h2>
      {text !== undefined && <p className={styles.text}>{text}</p>}
      {action}
    </div>
  );
}

/** Something could not be had: why, and the way out. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation("ui");
  const text = useErrorText(error);
  return (
    <div className={styles.state} role="alert">
      <span className={`${styles.icon} ${styles.danger}`}>
        <CircleAlert />
      </span>
      <h2>{t("failed")}</h2>
      <p className={styles.text}>{text}</p>
      {onRetry !== undefined && <Button onClick={onRetry}>{t("retry")}</Button>}
    </div>
  );
}

/** It is on its way. */
export function LoadingState() {
  const { t } = useTranslation("ui");
  return (
    <div className={styles.state}>
      <span className={styles.icon}>
        <Spinner label={t("loading")} />
      </span>
    </div>
  );
}
