import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import { Logo } from "./Logo";
import styles from "./NoServer.module.css";

/** The page was opened from this device's memory, and there is no server: it goes on as soon as there is one. */
export function NoServer({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation("app");
  return (
    <main className={styles.page}>
      <Logo />
      <div role="status" className={styles.text}>
        <h1>{t("noServerTitle")}</h1>
        <p>{t("noServerText")}</p>
      </div>
      <Button onClick={onRetry}>{t("noServerRetry")}</Button>
    </main>
  );
}
