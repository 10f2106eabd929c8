import { Archive, RotateCcw, Tags, Trash2, Undo2, X } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Access, type Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { Button, IconButton } from "@/ui/Button";
import { useToasts } from "@/ui/Toast";
import styles from "./BulkBar.module.css";
import type { Asking } from "./LibraryPage";
import type { Actions } from "./useActions";

type BulkBarProps = {
  recordings: Recording[];
  inBin: boolean;
  actions: Actions;
  onAsk: (what: Exclude<Asking["what"], "share">) => void;
  onClear: () => void;
};

/** What can be done with all that are selected. */
export function BulkBar({ recordings, inBin, actions, onAsk, onClear }: BulkBarProps) {
  const { t } = useTranslation("library");
  const { show, showError } = useToasts();
  const [isExporting, setIsExporting] = useState(false);
  const ids = recordings.map(({ id }) => id);
  const canEdit = recordings.every(({ access }) => access >= Access.WRITE);
  const isOwner = recordings.every(({ access }) => access === Access.OWNER);
  const exportZip = async () => {
    setIsExporting(true);
    try {
      const { exportLibrary } = await import("./exportLibrary");
      if (await exportLibrary(ids, () => show(t("exporting")))) show(t("exported"));
    } catch (error) {
      showError(error);
    } finally {
      setIsExporting(false);
    }
  };
  return (
    <section
      className={styles.bar}
      aria-label={t("selection")}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClear();
      }}
    >
      <p className={styles.count} role="status">
        {t("selected", { count: recordings.length })}
      </p>
      <div className={styles.actions}>
        {inBin ? (
          <>
            <Button
              size="small"
              icon={<Undo2 />}
              disabled={!isOwner}
              onClick={() => void actions.restore(ids).then(onClear)}
            >
              {t("restore")}
            </Button>
            <Button
              size="small"
              variant="danger"
              icon={<Trash2 />}
              disabled={!isOwner}
              onClick={() => onAsk("purge")}
            >
              {t("purge")}
            </Button>
          </>
        ) : (
          <>
            <Button size="small" icon={<Tags />} disabled={!canEdit} onClick={() => onAsk("labels")}>
              {t("labels")}
            </Button>
            <Button size="small" icon={<RotateCcw />} disabled={!canEdit} onClick={() => onAsk("process")}>
              {t("processAgain")}
            </Button>
            <Button size="small" icon={<Archive />} busy={isExporting} onClick={() => void exportZip()}>
              {t("exportZip")}
            </Button>
            <Button
              size="small"
              variant="danger"
              icon={<Trash2 />}
              disabled={!isOwner}
              onClick={() => void actions.remove(ids).then(onClear)}
            >
              {t("delete")}
            </Button>
          </>
        )}
      </div>
      <IconButton size="small" label={t("clearSelection")} icon={<X />} onClick={onClear} />
    </section>
  );
}
