import { Code } from "@connectrpc/connect";
import { CircleCheck, CircleX, Copy, Pause, Play, RotateCw, X } from "lucide-react";
import { type ReactNode, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { errorText, failureOf } from "@/api/errors";
import { currentLanguage } from "@/i18n";
import { size } from "@/lib/size";
import { span } from "@/lib/time";
import { Button, IconButton } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { useToasts } from "@/ui/Toast";
import type { UploadManager } from "./manager";
import { fromFileList } from "./pick";
import { LocalFileError, type Upload } from "./types";
import styles from "./UploadRow.module.css";

type RowProps = { upload: Upload; manager: UploadManager };

/** One upload: how far it is, and what can be done with it. */
export function UploadRow({ upload, manager }: RowProps) {
  const { t } = useTranslation("uploads");
  const { id, state, fileName: name } = upload;
  const isShowingProgress = ["queued", "checking", "sending", "finishing", "waiting", "paused"].includes(
    state,
  );
  return (
    <li className={styles.row}>
      <div className={styles.line}>
        <StateIcon state={state} />
        <span className={styles.name} title={name}>
          {name}
        </span>
        {(state === "checking" || state === "sending" || state === "queued") && (
          <IconButton
            size="small"
            label={t("pause", { name })}
            icon={<Pause />}
            onClick={() => manager.pause(id)}
          />
        )}
        {state === "paused" && (
          <IconButton
            size="small"
            label={t("resume", { name })}
            icon={<Play />}
            onClick={() => manager.resume(id)}
          />
        )}
        {state === "waiting" && (
          <IconButton
            size="small"
            label={t("retryName", { name })}
            icon={<RotateCw />}
            onClick={() => manager.resume(id)}
          />
        )}
        {state === "done" ? (
          <>
            <Link href={`/recordings/${upload.recordingId}`} className={styles.link}>
              {t("open")}
              <span className="visually-hidden"> {name}</span>
            </Link>
            <IconButton
              size="small"
              label={t("remove", { name })}
              icon={<X />}
              onClick={() => manager.dismiss(id)}
            />
          </>
        ) : (
          <IconButton
            size="small"
            label={t(isShowingProgress || state === "needsFile" ? "cancel" : "remove", { name })}
            icon={<X />}
            onClick={() => manager.cancel(id)}
          />
        )}
      </div>
      {isShowingProgress && <Progress label={t("progress", { name })} percent={percentOf(upload)} />}
      <Details upload={upload} manager={manager} />
    </li>
  );
}

/** What the server says of the file itself stays true. */
function mayWorkAgain(error: unknown): boolean {
  if (error instanceof LocalFileError) return false;
  const { code, reason } = failureOf(error);
  return code !== Code.InvalidArgument || reason === "CHECKSUM_MISMATCH";
}

function percentOf({ state, sentBytes, checkedBytes, sizeBytes }: Upload): number | null {
  if (state === "finishing") return null;
  const bytes = state === "checking" && sentBytes === 0 ? checkedBytes : sentBytes;
  return sizeBytes === 0 ? null : (bytes / sizeBytes) * 100;
}

function StateIcon({ state }: { state: Upload["state"] }) {
  if (state === "done") return <CircleCheck aria-hidden className={styles.good} />;
  if (state === "failed") return <CircleX aria-hidden className={styles.bad} />;
  if (state === "duplicate") return <Copy aria-hidden className={styles.muted} />;
  return null;
}

function Details({ upload, manager }: RowProps): ReactNode {
  const { t } = useTranslation("uploads");
  const { t: apiText } = useTranslation("api");
  const { id, state } = upload;
  switch (state) {
    case "done":
      return null;
    case "sending":
      return <SendingNote upload={upload} />;
    case "failed":
      return (
        <>
          <p className={styles.error}>
            {upload.error instanceof LocalFileError
              ? t(upload.error.reason)
              : errorText(upload.error, apiText)}
          </p>
          {mayWorkAgain(upload.error) && (
            <Button size="small" icon={<RotateCw />} onClick={() => manager.resume(id)}>
              {t("retry")}
            </Button>
          )}
        </>
      );
    case "duplicate":
      return (
        <>
          <p className={styles.note}>
            {t("duplicate")}{" "}
            <Link href={`/recordings/${upload.duplicate?.recordingId}`} className={styles.link}>
              {upload.duplicate?.title || upload.fileName}
            </Link>
          </p>
          <Button size="small" onClick={() => manager.addAnyway(id)}>
            {t("addAnyway")}
          </Button>
        </>
      );
    case "needsFile":
      return <FileAgain upload={upload} manager={manager} />;
    default:
      return <p className={styles.note}>{t(`state_${state}`)}</p>;
  }
}

function SendingNote({ upload }: { upload: Upload }) {
  const { t } = useTranslation("uploads");
  const { sentBytes, sizeBytes, bytesPerSecond, remaining } = upload;
  const language = currentLanguage();
  const parts = [t("of", { part: size(sentBytes, language), whole: size(sizeBytes, language) })];
  if (bytesPerSecond > 0) parts.push(t("perSecond", { size: size(Math.round(bytesPerSecond), language) }));
  if (remaining !== null) parts.push(t("remaining", { time: span(remaining, language) }));
  return <p className={styles.note}>{parts.join(" · ")}</p>;
}

/** After a reload the browser wants the user to choose the file again, or at least to say yes. */
function FileAgain({ upload, manager }: RowProps) {
  const { t } = useTranslation("uploads");
  const { show, showError } = useToasts();
  const field = useRef<HTMLInputElement>(null);
  if (upload.handle !== undefined) {
    return (
      <>
        <p className={styles.note}>{t("needsPermission")}</p>
        <Button
          size="small"
          icon={<Play />}
          onClick={() => void manager.allowReading([upload.id]).catch(showError)}
        >
          {t("goOn")}
        </Button>
      </>
    );
  }
  return (
    <>
      <p className={styles.note}>{t("needsFile")}</p>
      <input
        ref={field}
        type="file"
        hidden
        aria-label={t("chooseAgain")}
        onChange={(event) => {
          const picked = event.target.files === null ? [] : fromFileList(event.target.files).files;
          if (!picked.some((file) => manager.provide(upload.id, file))) show(t("notTheSame"));
          event.target.value = "";
        }}
      />
      <Button size="small" onClick={() => field.current?.click()}>
        {t("chooseAgain")}
      </Button>
    </>
  );
}
