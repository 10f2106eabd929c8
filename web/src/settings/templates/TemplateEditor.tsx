import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { failureOf } from "@/api/errors";
import { keys } from "@/api/queries";
import { templates as client } from "@/api/templates";
import { TextField } from "@/ui/Field";
import { FormDialog } from "@/ui/FormDialog";
import { ErrorNotice, Notice } from "@/ui/Notice";
import { useToasts } from "@/ui/Toast";
import { FormatHelp } from "./FormatHelp";
import { MarkdownEditor } from "./MarkdownEditor";
import { lengthErrorOf, lineRange, templateErrorOf } from "./templateError";

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

type TemplateEditorProps = {
  /** Name of the template that is changed; empty: a new one. */
  name: string;
  markdown: string;
  /** Names that are taken, with whether by built-in ones. */
  taken: ReadonlyMap<string, boolean>;
  onClose: () => void;
};

/** Writes a template of one's own. */
export function TemplateEditor({ name: known, markdown, taken, onClose }: TemplateEditorProps) {
  const { t } = useTranslation("settings");
  const cache = useQueryClient();
  const toasts = useToasts();
  const area = useRef<HTMLTextAreaElement>(null);
  const [name, setName] = useState(known);
  const [text, setText] = useState(markdown);
  const isNew = known === "";
  const put = useMutation({
    mutationFn: () => client.putTemplate({ requestId: crypto.randomUUID(), name, markdown: text }),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: keys.allTemplates });
      toasts.show(t("templateSaved", { name }));
      onClose();
    },
    onError: (error) => {
      const line = templateErrorOf(failureOf(error), t)?.line ?? null;
      if (line === null || area.current === null) return;
      const { start, end } = lineRange(text, line);
      area.current.focus();
      area.current.setSelectionRange(start, end);
    },
  });
  const tooLong = lengthErrorOf(text, t);
  const mistake = tooLong ?? (put.isError ? templateErrorOf(failureOf(put.error), t) : null);
  const isBadName = name !== "" && !NAME.test(name);
  const replaces = isNew ? taken.get(name) : undefined;
  const submit = () => {
    if (NAME.test(name)) put.mutate();
  };
  return (
    <FormDialog
      wide
      title={isNew ? t("newTemplate") : t("editTemplate", { name: known })}
      submit={t("save")}
      busy={put.isPending}
      disabled={tooLong !== null}
      onSubmit={submit}
      onClose={onClose}
    >
      {isNew && (
        <TextField
          label={t("templateName")}
          hint={t("templateNameHint")}
          error={isBadName ? t("templateNameBad") : undefined}
          required
          autoComplete="off"
          spellCheck={false}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      )}
      {replaces !== undefined && (
        <Notice tone="warning">{t(replaces ? "hidesBuiltIn" : "replacesOwn", { name })}</Notice>
      )}
      <MarkdownEditor
        label={t("templateText")}
        value={text}
        error={mistake}
        area={area}
        onChange={(next) => {
          setText(next);
          if (put.isError) put.reset();
        }}
      />
      {put.isError && mistake === null && <ErrorNotice error={put.error} />}
      <FormatHelp />
    </FormDialog>
  );
}
