import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import { getCaller } from "@/app/session";
import { useObservable } from "@/lib/observable";
import { Button } from "@/ui/Button";
import { Page } from "@/ui/Page";
import { Leftovers } from "./Leftovers";
import styles from "./LivePage.module.css";
import { recorder } from "./live";
import { SessionView } from "./SessionView";
import { Setup } from "./Setup";

/** What was pressed is gone with the view that it belonged to: its reader goes on at the heading of the next one. */
function useHeadingFocus(view: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(view);
  useEffect(() => {
    if (before.current !== view) heading.current?.focus();
    before.current = view;
  }, [view]);
  return heading;
}

/** Records, shows captions meanwhile, and ends with the way to the recording. */
export default function LivePage() {
  const { t } = useTranslation("live");
  const { phase, wishes } = useObservable(recorder.state);
  const caller = useQuery({ queryKey: keys.caller, queryFn: getCaller });
  const user = caller.data?.user ?? "";
  useEffect(() => {
    if (user !== "") void recorder.findLeftovers(user);
  }, [user]);
  const isSetup = phase === "idle" || phase === "starting";
  const title = isSetup ? t("title") : wishes.title || t("untitled");
  const heading = useHeadingFocus(isSetup ? "setup" : phase === "done" ? "done" : "session");
  return (
    <Page
      title={title}
      heading={
        <h1 ref={heading} tabIndex={-1} className={styles.heading}>
          {title}
        </h1>
      }
      actions={phase === "done" && <Button onClick={() => recorder.dismiss()}>{t("newRecording")}</Button>}
    >
      {isSetup ? (
        <>
          <Leftovers />
          <Setup user={user} isStarting={phase === "starting"} />
        </>
      ) : (
        <SessionView />
      )}
    </Page>
  );
}
