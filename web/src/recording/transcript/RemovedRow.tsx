import { useTranslation } from "react-i18next";
import { RemovalReason, type RemovedText } from "@/gen/recordroute/stt/v1/stt_pb";
import { clock, secondsOf } from "@/lib/time";
import styles from "./RemovedRow.module.css";

const REASONS = {
  [RemovalReason.UNSPECIFIED]: "removed_other",
  [RemovalReason.NO_SPEECH]: "removed_noSpeech",
  [RemovalReason.UNINTELLIGIBLE]: "removed_unintelligible",
  [RemovalReason.LOOP]: "removed_loop",
} as const;

/** Text that the recogniser has written and that was taken out again, with the reason. */
export function RemovedRow({ removed }: { removed: RemovedText }) {
  const { t } = useTranslation("recording");
  const text = removed.segment?.text ?? "";
  return (
    <div className={styles.row}>
      <span className={styles.time}>{clock(secondsOf(removed.segment?.start))}</span>
      <div className={styles.body}>
        {text === "" ? <p>{t("removedSound")}</p> : <del>{text}</del>}
        <p className={styles.reason} title={removed.detail}>
          {t(REASONS[removed.reason])}
        </p>
      </div>
    </div>
  );
}
