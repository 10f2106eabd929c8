import { Languages, Mic } from "lucide-react";
import { useTranslation } from "react-i18next";
import { currentLanguage } from "@/i18n";
import { languageName } from "@/lib/languages";
import { useObservable } from "@/lib/observable";
import { Badge } from "@/ui/Badge";
import { Captions } from "./CaptionList";
import { Controls } from "./Controls";
import { Finishing } from "./Finishing";
import { recorder } from "./live";
import { Result } from "./Result";
import { SessionNotices } from "./SessionNotices";
import styles from "./SessionView.module.css";

/** A recording from its start to its end: what is said, what is wrong, and what can be done. */
export function SessionView() {
  const { t } = useTranslation("live");
  const { phase, deviceName, captions, wishes, marks } = useObservable(recorder.state);
  const language = currentLanguage();
  const goesOn = phase === "recording" || phase === "paused";
  return (
    <div className={styles.session}>
      {goesOn && (
        <p className={styles.facts}>
          <Badge icon={<Mic aria-hidden />}>{deviceName}</Badge>
          {captions.language !== "" && wishes.language === "" && (
            <Badge icon={<Languages aria-hidden />}>
              {t("detected", { language: languageName(captions.language, language) })}
            </Badge>
          )}
        </p>
      )}
      {phase === "done" && <Result />}
      {goesOn && <SessionNotices />}
      <Captions captions={captions} marks={marks} isLive={goesOn} />
      {goesOn && <Controls />}
      {phase === "finishing" && <Finishing />}
    </div>
  );
}
