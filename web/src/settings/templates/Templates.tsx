import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Copy, Eye, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import { templates as client, useTemplates } from "@/api/templates";
import type { Template } from "@/gen/recordroute/gateway/v1/template_pb";
import { currentLocale } from "@/i18n";
import { dateOf, dayAndTime } from "@/lib/time";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { ErrorState, LoadingState } from "@/ui/State";
import { useToasts } from "@/ui/Toast";
import { Card, Row, Rows } from "../Card";
import { useCaller } from "../caller";
import { NoAccess } from "../NoAccess";
import { TemplateEditor } from "./TemplateEditor";
import styles from "./Templates.module.css";

type Open = { kind: "view"; template: Template } | { kind: "edit"; name: string; markdown: string } | null;

function useDelete() {
  const { t } = useTranslation("settings");
  const cache = useQueryClient();
  const toasts = useToasts();
  const refresh = () => cache.invalidateQueries({ queryKey: keys.allTemplates });
  const putBack = useMutation({
    mutationFn: ({ name, markdown }: Template) =>
      client.putTemplate({ requestId: crypto.randomUUID(), name, markdown }),
    onError: toasts.showError,
    onSettled: refresh,
  });
  return useMutation({
    mutationFn: ({ name }: Template) => client.deleteTemplate({ requestId: crypto.randomUUID(), name }),
    onSuccess: (_, template) =>
      toasts.show(t("templateDeleted", { name: template.name }), {
        label: t("undo"),
        onAction: () => putBack.mutate(template),
      }),
    onError: toasts.showError,
    onSettled: refresh,
  });
}

function Details({ template }: { template: Template }) {
  const { t } = useTranslation("settings");
  const date = dateOf(template.updatedAt);
  return [template.name, date && t("changedOn", { date: dayAndTime(date, currentLocale()) })]
    .filter(Boolean)
    .join(" · ");
}

/** Templates of minutes. */
export default function Templates() {
  const { t } = useTranslation("settings");
  const { canWrite } = useCaller();
  const [open, setOpen] = useState<Open>(null);
  const remove = useDelete();
  const list = useTemplates();
  if (list.isPending) return <LoadingState />;
  if (list.isError) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
  const { templates } = list.data;
  const own = templates.filter((template) => !template.builtIn);
  const builtIn = templates.filter((template) => template.builtIn);
  const taken = new Map(templates.map((template) => [template.name, template.builtIn]));
  const close = () => setOpen(null);
  const copy = (template: Template) => setOpen({ kind: "edit", name: "", markdown: template.markdown });
  return (
    <>
      {!canWrite && <NoAccess scope="write" />}
      <Card
        title={t("ownTemplates")}
        text={t("ownTemplatesText")}
        actions={
          canWrite && (
            <Button
              icon={<Plus />}
              onClick={() => setOpen({ kind: "edit", name: "", markdown: t("templateStart") })}
            >
              {t("newTemplate")}
            </Button>
          )
        }
      >
        {own.length > 0 && (
          <Rows label={t("ownTemplates")}>
            {own.map((template) => (
              <Row
                key={template.name}
                title={template.title}
                details={<Details template={template} />}
                actions={
                  canWrite ? (
                    <>
                      <IconButton
                        size="small"
                        label={t("editTemplate", { name: template.title })}
                        icon={<Pencil />}
                        onClick={() =>
                          setOpen({ kind: "edit", name: template.name, markdown: template.markdown })
                        }
                      />
                      <IconButton
                        size="small"
                        label={t("deleteTemplate", { name: template.title })}
                        icon={<Trash2 />}
                        onClick={() => remove.mutate(template)}
                      />
                    </>
                  ) : (
                    <IconButton
                      size="small"
                      label={t("viewTemplate", { name: template.title })}
                      icon={<Eye />}
                      onClick={() => setOpen({ kind: "view", template })}
                    />
                  )
                }
              />
            ))}
          </Rows>
        )}
      </Card>
      <Card title={t("builtInTemplates")} text={t("builtInTemplatesText")}>
        <Rows label={t("builtInTemplates")}>
          {builtIn.map((template) => (
            <Row
              key={template.name}
              title={template.title}
              details={<Details template={template} />}
              actions={
                <>
                  <IconButton
                    size="small"
                    label={t("viewTemplate", { name: template.title })}
                    icon={<Eye />}
                    onClick={() => setOpen({ kind: "view", template })}
                  />
                  {canWrite && (
                    <IconButton
                      size="small"
                      label={t("copyTemplate", { name: template.title })}
                      icon={<Copy />}
                      onClick={() => copy(template)}
                    />
                  )}
                </>
              }
            />
          ))}
        </Rows>
      </Card>
      {open?.kind === "view" && (
        <Dialog
          wide
          title={open.template.title}
          onClose={close}
          actions={
            <>
              <Button onClick={close}>{t("close")}</Button>
              {canWrite && open.template.builtIn && (
                <Button variant="primary" onClick={() => copy(open.template)}>
                  {t("copyToOwn")}
                </Button>
              )}
            </>
          }
        >
          <pre className={styles.text}>{open.template.markdown}</pre>
        </Dialog>
      )}
      {open?.kind === "edit" && (
        <TemplateEditor name={open.name} markdown={open.markdown} taken={taken} onClose={close} />
      )}
    </>
  );
}
