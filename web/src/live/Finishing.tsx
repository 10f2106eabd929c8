import { useTranslation } from "react-i18next";
import { currentLanguage } from "@/i18n";
import { useObservable } from "@/lib/observable";
import { span } from "@/lib/time";
import { Box } from "@/ui/Box";
import { Button } from "@/ui/Button";
import { Progress } from "@/ui/Progress";
import { Spinner } from "@/ui/Spinner";
import { Failure } from "./Failure";
import styles from "./Finishing.module.css";
import { recorder } from "./live";

/** The last audio is on its way, and the server makes a recording of it. */
export function Finishing() {
  const { t } = useTranslation("live");
  const { uplink, rest } = useObservable(recorder.state);
  const isSafe = uplink.isDelivered && rest === null;
  const isAway = !isSafe && uplink.connection === "away";
  return (
    <Box compact role="status">
      <p className={styles.title}>
        <Spinner />
        {rest === null ? t("finishing") : t("restUploading")}
      </p>
      {rest !== null && <Progress label={t("restUploading")} percent={rest.percent} />}
      <p className={styles.text}>
        {isAway ? t("finishingAway") : t(isSafe ? "finishingSafe" : "keepOpen")}{" "}
        {uplink.unsentSeconds >= 1 &&
          t("finishingLeft", { time: span(uplink.unsentSeconds, currentLanguage()) })}
      </p>
      {uplink.problem !== undefined && <Failure failure={uplink.problem} />}
      {isAway && (
        <div className={styles.actions}>
          <Button onClick={() => void recorder.postpone()}>{t("postpone")}</Button>
        </div>
      )}
    </Box>
  );
}
