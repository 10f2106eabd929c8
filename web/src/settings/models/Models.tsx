import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { reasonText } from "@/api/errors";
import { keys } from "@/api/queries";
import { ModelState, ModelTask } from "@/gen/recordroute/gateway/v1/model_pb";
import { currentLanguage } from "@/i18n";
import { size } from "@/lib/size";
import { Notice } from "@/ui/Notice";
import { ErrorState, LoadingState } from "@/ui/State";
import { Card, Rows } from "../Card";
import { useCaller } from "../caller";
import { NoAccess } from "../NoAccess";
import { useServiceName } from "../services";
import { models as client } from "./client";
import { ModelRow } from "./ModelRow";
import styles from "./Models.module.css";

const TASKS = [
  { task: ModelTask.STT, key: "taskStt" },
  { task: ModelTask.LLM, key: "taskLlm" },
  { task: ModelTask.EMBEDDING, key: "taskEmbedding" },
  { task: ModelTask.RERANK, key: "taskRerank" },
  { task: ModelTask.OTHER, key: "taskOther" },
] as const;
const PULLING_REFRESH_MS = 2_000;

/** The models by what they are for. */
export default function Models() {
  const { t } = useTranslation("settings");
  const { t: apiText } = useTranslation("api");
  const { isAdmin } = useCaller();
  const serviceName = useServiceName();
  const list = useQuery({
    queryKey: keys.models,
    queryFn: () => client.listModels({}),
    // Whoever may pull watches the pull's own stream; others can only look again.
    refetchInterval: (query) =>
      !isAdmin && query.state.data?.models.some(({ state }) => state === ModelState.PULLING)
        ? PULLING_REFRESH_MS
        : false,
  });
  if (list.isPending) return <LoadingState />;
  if (list.isError) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  const { models, manageRefusal, freeBytes, unavailableServices } = list.data;
  return (
    <>
      {!isAdmin && <NoAccess scope="admin" />}
      {isAdmin && manageRefusal !== "" && (
        <Notice>{reasonText({ reason: manageRefusal, message: manageRefusal }, apiText)}</Notice>
      )}
      {unavailableServices.length > 0 && (
        <Notice tone="warning">
          {t("servicesAway", { services: unavailableServices.map(serviceName).join(", ") })}
        </Notice>
      )}
      {TASKS.map(({ task, key }) => {
        const ofTask = models.filter((model) => model.task === task);
        if (ofTask.length === 0) return null;
        return (
          <Card key={task} title={t(key)} text={t(`${key}Text`)}>
            <Rows label={t(key)}>
              {ofTask.map((model) => (
                <ModelRow key={model.id} model={model} isAdmin={isAdmin} />
              ))}
            </Rows>
          </Card>
        );
      })}
      {freeBytes > 0n && (
        <p className={styles.muted}>{t("freeForModels", { size: size(freeBytes, currentLanguage()) })}</p>
      )}
    </>
  );
}
