import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Check, Download, RefreshCw, Trash2, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { reasonText } from "@/api/errors";
import { keys } from "@/api/queries";
import { type Model, ModelState, PullPhase } from "@/gen/recordroute/gateway/v1/model_pb";
import { currentLanguage } from "@/i18n";
import { languageName } from "@/lib/languages";
import { size } from "@/lib/size";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { ErrorNotice, Notice } from "@/ui/Notice";
import { useToasts } from "@/ui/Toast";
import { Row } from "../Card";
import { chooseModel, models } from "./client";
import { descriptionOf } from "./description";
import styles from "./Models.module.css";
import { PullProgress } from "./PullProgress";
import { usePull } from "./usePull";

const LANGUAGES_SHOWN = 6;

function useDetails(model: Model): string {
  const { t } = useTranslation("settings");
  const language = currentLanguage();
  const spoken =
    model.languages.length > LANGUAGES_SHOWN
      ? t("languageCount", { count: model.languages.length })
      : model.languages.map((code) => languageName(code, language)).join(", ");
  const bytes =
    model.sizeBytes > 0n
      ? t("onDisk", { size: size(model.sizeBytes, language) })
      : model.downloadBytes > 0n
        ? t("toDownload", { size: size(model.downloadBytes, language) })
        : "";
  return [bytes, model.license, spoken].filter(Boolean).join(" · ");
}

function StateBadges({ model }: { model: Model }) {
  const { t } = useTranslation("settings");
  return (
    <>
      {model.isCurrent && (
        <Badge tone="accent" icon={<Check aria-hidden />}>
          {t("inUse")}
        </Badge>
      )}
      {model.state === ModelState.BROKEN && (
        <Badge tone="danger" icon={<TriangleAlert aria-hidden />}>
          {t("broken")}
        </Badge>
      )}
      {model.state === ModelState.OUTDATED && <Badge tone="warning">{t("outdated")}</Badge>}
      {model.state === ModelState.INSTALLED && !model.isCurrent && <Badge>{t("installed")}</Badge>}
      {model.isRecommended && model.state === ModelState.NOT_INSTALLED && (
        <Badge tone="accent">{t("recommended")}</Badge>
      )}
      {model.isLoaded && <Badge>{t("loaded")}</Badge>}
    </>
  );
}

/** A model: how it stands, and what can be done with it. */
export function ModelRow({ model, isAdmin }: { model: Model; isAdmin: boolean }) {
  const { t } = useTranslation("settings");
  const { t: apiText } = useTranslation("api");
  const cache = useQueryClient();
  const toasts = useToasts();
  const pull = usePull(model, isAdmin);
  const [isRemoving, setRemoving] = useState(false);
  const refresh = () => {
    void cache.invalidateQueries({ queryKey: keys.models });
    void cache.invalidateQueries({ queryKey: keys.system });
  };
  const use = useMutation({
    mutationFn: () => chooseModel({ requestId: crypto.randomUUID(), task: model.task, modelId: model.id }),
    onSuccess: () => toasts.show(t("usedNow", { model: model.id })),
    onError: toasts.showError,
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: () => models.removeModel({ requestId: crypto.randomUUID(), modelId: model.id }),
    onSuccess: ({ freedBytes }) =>
      toasts.show(t("modelRemoved", { model: model.id, size: size(freedBytes, currentLanguage()) })),
    onError: toasts.showError,
    onSettled: () => {
      setRemoving(false);
      refresh();
    },
  });
  const description = descriptionOf(model, t);
  const isPulling = pull.progress !== null;
  const isThere = model.sizeBytes > 0n;
  const isWhole = model.state === ModelState.INSTALLED || model.state === ModelState.OUTDATED;
  const needsPull =
    model.state === ModelState.NOT_INSTALLED ||
    model.state === ModelState.BROKEN ||
    model.state === ModelState.OUTDATED;
  const canPull = isAdmin && needsPull && model.pullRefusal === "" && !isPulling;
  const failure = model.pull?.phase === PullPhase.FAILED ? model.pull.failure : undefined;
  const whyNotUsed =
    isWhole && !model.isCurrent && model.useRefusal !== ""
      ? reasonText({ reason: model.useRefusal, message: model.useRefusal }, apiText)
      : "";
  const pullLabel =
    model.state === ModelState.BROKEN
      ? t("mend")
      : model.state === ModelState.OUTDATED
        ? t("update")
        : t("pull");
  return (
    <Row
      title={<span className={styles.id}>{model.id}</span>}
      badges={<StateBadges model={model} />}
      details={
        <>
          {description.text !== "" && (
            <span className={styles.description} lang={description.lang}>
              {description.text}
            </span>
          )}
          {useDetails(model)}
        </>
      }
      actions={
        <>
          {canPull && (
            <Button
              size="small"
              icon={model.state === ModelState.NOT_INSTALLED ? <Download /> : <RefreshCw />}
              aria-label={`${pullLabel}: ${model.id}`}
              onClick={pull.start}
            >
              {pullLabel}
            </Button>
          )}
          {isAdmin && isWhole && !model.isCurrent && model.useRefusal === "" && (
            <Button
              size="small"
              variant="primary"
              busy={use.isPending}
              aria-label={t("useModel", { model: model.id })}
              onClick={() => use.mutate()}
            >
              {t("use")}
            </Button>
          )}
          {isAdmin && isThere && model.removeRefusal === "" && !isPulling && (
            <Button
              size="small"
              variant="ghost"
              icon={<Trash2 />}
              aria-label={t("removeModel", { model: model.id })}
              onClick={() => setRemoving(true)}
            >
              {t("remove")}
            </Button>
          )}
        </>
      }
    >
      {pull.progress !== null && <PullProgress model={model} pull={pull.progress} canManage={isAdmin} />}
      {pull.error !== null && <ErrorNotice error={pull.error} />}
      {pull.error === null && failure !== undefined && !isPulling && (
        <Notice tone="danger">
          {reasonText(failure, apiText) || failure.reason}
          {failure.message !== "" && failure.message !== reasonText(failure, apiText) && (
            <p className={styles.muted} lang="en">
              {failure.message}
            </p>
          )}
        </Notice>
      )}
      {model.problems.length > 0 && (
        <details className={styles.problems}>
          <summary>{t("problems", { count: model.problems.length })}</summary>
          <ul lang="en">
            {model.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </details>
      )}
      {isAdmin && whyNotUsed !== "" && <p className={styles.muted}>{whyNotUsed}</p>}
      {isRemoving && (
        <ConfirmDialog
          title={t("removeModel", { model: model.id })}
          text={t("removeModelText", { size: size(model.sizeBytes, currentLanguage()) })}
          action={t("remove")}
          danger
          busy={remove.isPending}
          onConfirm={() => remove.mutate()}
          onClose={() => setRemoving(false)}
        />
      )}
    </Row>
  );
}
