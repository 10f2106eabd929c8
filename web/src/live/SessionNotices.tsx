import type { TFunction } from "i18next";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { currentLanguage } from "@/i18n";
import { useObservable } from "@/lib/observable";
import { span } from "@/lib/time";
import { Notice } from "@/ui/Notice";
import type { Warning } from "./captions";
import { Failure } from "./Failure";
import { recorder } from "./live";
import type { LiveState } from "./recorder";
import styles from "./SessionNotices.module.css";

/** A connection that comes back at once is not worth a word. */
const PATIENCE_MS = 1500;

const KNOWN = [
  "CAPTIONS_INTERRUPTED",
  "CAPTIONS_UNAVAILABLE",
  "AUDIO_MISSING",
  "RECORDING_DELAYED",
  "NOT_SYNCED",
] as const;

function warningText({ reason, message }: Warning, t: TFunction<"live">): string {
  const known = KNOWN.find((one) => one === reason);
  return known === undefined ? message : t(known);
}

function useLasting(now: boolean): boolean {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLasting(now), now ? PATIENCE_MS : 0);
    return () => clearTimeout(timer);
  }, [now]);
  return now && lasting;
}

function partText(reason: string, t: TFunction<"live">): string {
  return reason === "TOO_LONG" ? t("endedTooLong") : t("endedIdle");
}

function Connection({ uplink }: Pick<LiveState, "uplink">) {
  const { t } = useTranslation("live");
  const isAway = useLasting(uplink.connection === "away");
  if (!isAway) return null;
  const waiting = Math.floor(uplink.unsentSeconds / 5) * 5;
  return (
    <Notice tone="warning">
      {t("offline")}
      {waiting > 0 && ` ${t("offlineLeft", { time: span(waiting, currentLanguage()) })}`}
    </Notice>
  );
}

/** What is not as it should be, in words. */
export function SessionNotices() {
  const { t } = useTranslation("live");
  const state = useObservable(recorder.state);
  const { uplink, captions, isDeviceLost, isPartLost, isSilent, deviceName, failure, parts } = state;
  const lastPart = parts.at(-1);
  return (
    <div role="status" className={styles.notices}>
      {isDeviceLost && <Notice tone="danger">{t("deviceLost")}</Notice>}
      {failure !== undefined && <Failure failure={failure} />}
      {isPartLost && <Notice tone="warning">{t("partLost", { name: deviceName })}</Notice>}
      {isSilent && <Notice tone="warning">{t("hearsNothing")}</Notice>}
      <Connection uplink={uplink} />
      {uplink.problem !== undefined && <Failure failure={uplink.problem} />}
      {uplink.notKept && <Notice tone="danger">{t("notKept")}</Notice>}
      {lastPart !== undefined && <Notice>{partText(lastPart.reason, t)}</Notice>}
      {captions.warnings.map((warning) => (
        <Notice key={warning.reason} tone="warning">
          {warningText(warning, t)}
        </Notice>
      ))}
    </div>
  );
}
