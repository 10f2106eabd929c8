import { Archive } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { isAborted } from "@/api/errors";
import { currentLanguage } from "@/i18n";
import { size } from "@/lib/size";
import { Button } from "@/ui/Button";
import { ErrorNotice } from "@/ui/Notice";
import { Progress } from "@/ui/Progress";
import { useToasts } from "@/ui/Toast";
import { Card } from "../Card";
import { Command } from "../Command";
import { NoAccess } from "../NoAccess";
import styles from "./AuditLog.module.css";
import { writeBackup } from "./backup";

const COMMAND = "recordroute backup library.tar";

function backupName(now: Date): string {
  return `recordroute-${now.toISOString().slice(0, 10)}.tar`;
}

function Download() {
  const { t } = useTranslation("settings");
  const toasts = useToasts();
  const running = useRef<AbortController | null>(null);
  const [bytes, setBytes] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  useEffect(() => () => running.current?.abort(), []);
  const start = async (pick: NonNullable<Window["showSaveFilePicker"]>) => {
    let handle: FileSystemFileHandle;
    try {
      handle = await pick({ suggestedName: backupName(new Date()) });
    } catch (refused) {
      // Closed by the user: nothing is wrong.
      if (!(refused instanceof DOMException && refused.name === "AbortError")) setError(refused);
      return;
    }
    const gone = new AbortController();
    running.current = gone;
    setError(null);
    setBytes(0);
    try {
      const stream = await handle.createWritable();
      const file = {
        write: (chunk: Uint8Array) => stream.write(new Uint8Array(chunk)),
        close: () => stream.close(),
        abort: () => stream.abort(),
      };
      await writeBackup(file, gone.signal, setBytes);
      toasts.show(t("backupDone", { name: handle.name }));
    } catch (failure) {
      if (!isAborted(failure)) setError(failure);
    } finally {
      running.current = null;
      setBytes(null);
    }
  };
  const pick = window.showSaveFilePicker?.bind(window);
  return (
    <>
      {pick === undefined ? (
        <p className={styles.muted}>{t("backupNoPicker")}</p>
      ) : bytes === null ? (
        <div>
          <Button icon={<Archive />} onClick={() => void start(pick)}>
            {t("backupStart")}
          </Button>
        </div>
      ) : (
        <>
          <Progress label={t("backupRunning")} percent={null} />
          <div>
            <span role="status">{t("backupBytes", { size: size(bytes, currentLanguage()) })}</span>{" "}
            <Button size="small" onClick={() => running.current?.abort()}>
              {t("cancel")}
            </Button>
          </div>
        </>
      )}
      {error !== null && <ErrorNotice error={error} />}
      {pick !== undefined && <p className={styles.muted}>{t("backupCommand")}</p>}
      <Command text={COMMAND} />
    </>
  );
}

/** A backup of the whole system. */
export function BackupCard({ isAdmin }: { isAdmin: boolean }) {
  const { t } = useTranslation("settings");
  return (
    <Card title={t("backup")} text={t("backupText")}>
      {isAdmin ? <Download /> : <NoAccess scope="admin" />}
    </Card>
  );
}
