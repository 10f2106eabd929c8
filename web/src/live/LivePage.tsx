import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import { getCaller } from "@/app/session";
import { useObservable } from "@/lib/observable";
import { Page } from "@/ui/Page";
import { Leftovers } from "./Leftovers";
import { recorder } from "./live";
import { SessionView } from "./SessionView";
import { Setup } from "./Setup";

/** Records, shows captions meanwhile, and ends with the way to the recording. */
export default function LivePage() {
  const { t } = useTranslation("live");
  const { phase, wishes } = useObservable(recorder.state);
  const caller = useQuery({ queryKey: keys.caller, queryFn: getCaller });
  const user = caller.data?.user ?? "";
  useEffect(() => {
    if (user !== "") void recorder.findLeftovers(user);
  }, [user]);
  if (phase !== "idle" && phase !== "starting") {
    return (
      <Page title={wishes.title || t("untitled")}>
        <SessionView />
      </Page>
    );
  }
  return (
    <Page title={t("title")}>
      <Leftovers />
      <Setup user={user} isStarting={phase === "starting"} />
    </Page>
  );
}
