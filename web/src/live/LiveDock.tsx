import { useQuery } from "@tanstack/react-query";
import { Pause, Square } from "lucide-react";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { keys } from "@/api/queries";
import { getCaller } from "@/app/session";
import { useObservable } from "@/lib/observable";
import { clock } from "@/lib/time";
import { IconButton } from "@/ui/Button";
import { Spinner } from "@/ui/Spinner";
import styles from "./LiveDock.module.css";
import { recorder } from "./live";

function Elapsed() {
  return <span className={styles.elapsed}>{clock(useObservable(recorder.seconds))}</span>;
}

/** On the other pages: that it is recorded, or that something of before waits to be sent. */
export default function LiveDock() {
  const { t } = useTranslation("live");
  const [location] = useLocation();
  const { phase } = useObservable(recorder.state);
  const leftovers = useObservable(recorder.leftovers);
  const caller = useQuery({ queryKey: keys.caller, queryFn: getCaller });
  const user = caller.data?.user ?? "";
  useEffect(() => {
    if (user !== "") void recorder.findLeftovers(user);
  }, [user]);
  if (location === "/live") return null;
  const goesOn = phase === "recording" || phase === "paused";
  if (!goesOn && phase !== "finishing") {
    return leftovers.length === 0 ? null : (
      <section className={styles.dock} aria-label={t("title")}>
        <Link href="/live" className={styles.link}>
          {t("dockUnsent")}
        </Link>
      </section>
    );
  }
  return (
    <section className={styles.dock} aria-label={t("title")}>
      <Link href="/live" className={styles.link}>
        {phase === "recording" && <span className={styles.dot} aria-hidden />}
        {phase === "paused" && <Pause aria-hidden />}
        {phase === "finishing" && <Spinner />}
        {phase === "recording" && t("dockRecording")}
        {phase === "paused" && t("dockPaused")}
        {phase === "finishing" && t("dockFinishing")}
        <Elapsed />
        <span className="visually-hidden">{t("goToLive")}</span>
      </Link>
      {goesOn && (
        <IconButton
          size="small"
          label={t("stop")}
          icon={<Square aria-hidden />}
          onClick={() => void recorder.stop()}
        />
      )}
    </section>
  );
}
