import { useState } from "react";
import { useTranslation } from "react-i18next";
import { currentLocale } from "@/i18n";
import { useObservable } from "@/lib/observable";
import { dayAndTime, span } from "@/lib/time";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import styles from "./Leftovers.module.css";
import { recorder } from "./live";
import type { Leftover } from "./recorder";

/** What earlier visits left on this device, and what to do with it. */
export function Leftovers() {
  const { t } = useTranslation("live");
  const leftovers = useObservable(recorder.leftovers);
  const [discarded, setDiscarded] = useState<Leftover | null>(null);
  const language = currentLocale();
  return (
    <>
      {leftovers.map((leftover) => {
        const { recording, unsentSeconds } = leftover;
        const when = dayAndTime(new Date(recording.startedAt), language);
        return (
          <section key={recording.id} className={styles.leftover} aria-labelledby={`left-${recording.id}`}>
            <div className={styles.text}>
              <h2 id={`left-${recording.id}`}>{recording.wishes.title || t("leftoverTitle", { when })}</h2>
              <p>
                {recording.wishes.title !== "" && `${t("leftoverTitle", { when })}. `}
                {unsentSeconds === 0
                  ? t("leftoverAllSent")
                  : t("leftoverText", { time: span(unsentSeconds, language) })}
              </p>
            </div>
            <div className={styles.actions}>
              <Button onClick={() => setDiscarded(leftover)}>{t("discard")}</Button>
              <Button variant="primary" onClick={() => void recorder.finish(leftover)}>
                {t("finishNow")}
              </Button>
            </div>
          </section>
        );
      })}
      {discarded !== null && (
        <ConfirmDialog
          danger
          title={t("discardTitle")}
          text={t("discardText")}
          action={t("discard")}
          onConfirm={() => {
            void recorder.discard(discarded);
            setDiscarded(null);
          }}
          onClose={() => setDiscarded(null)}
        />
      )}
    </>
  );
}
