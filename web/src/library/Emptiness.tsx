import { AudioLines, SearchX, Trash2 } from "lucide-react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { Button } from "@/ui/Button";
import { EmptyState } from "@/ui/State";
import { AddFiles } from "./AddFiles";
import styles from "./Emptiness.module.css";
import { type Filter, isFiltered } from "./filter";
import type { Adding } from "./useAddFiles";

type EmptinessProps = { filter: Filter; adding: Adding; onClear: () => void };

/** Why there is nothing in the list, and the way out. */
export function Emptiness({ filter, adding, onClear }: EmptinessProps) {
  const { t } = useTranslation("library");
  if (isFiltered(filter)) {
    return (
      <EmptyState
        icon={<SearchX />}
        title={t("noHits")}
        text={t("noHitsText")}
        action={<Button onClick={onClear}>{t("clearFilters")}</Button>}
      />
    );
  }
  if (filter.inBin) {
    return (
      <EmptyState
        icon={<Trash2 />}
        title={t("binEmpty")}
        text={t("binEmptyText")}
        action={<Link href="/">{t("backToLibrary")}</Link>}
      />
    );
  }
  return (
    <div className={styles.first}>
      <EmptyState
        icon={<AudioLines />}
        title={t("emptyLibrary")}
        text={t("emptyText")}
        action={
          <div className={styles.actions}>
            <AddFiles adding={adding} />
            <Link href="/live">{t("live")}</Link>
          </div>
        }
      />
    </div>
  );
}
