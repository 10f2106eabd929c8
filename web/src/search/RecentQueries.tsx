import { Clock } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Button } from "@/ui/Button";
import styles from "./RecentQueries.module.css";
import type { Recent } from "./recent";

/** What was looked for last. */
export function RecentQueries({ recent, onChoose }: { recent: Recent; onChoose: (query: string) => void }) {
  const { t } = useTranslation("search");
  return (
    <section aria-label={t("recent")} className={styles.recent}>
      <div className={styles.head}>
        <h2>{t("recent")}</h2>
        <Button size="small" variant="ghost" onClick={recent.clear}>
          {t("clearRecent")}
        </Button>
      </div>
      <ul>
        {recent.queries.map((query) => (
          <li key={query}>
            <button type="button" className={styles.query} onClick={() => onChoose(query)}>
              <Clock aria-hidden />
              <span>{query}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
