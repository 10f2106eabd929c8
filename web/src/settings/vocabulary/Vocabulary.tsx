import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { BookA, Plus, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import type { VocabularyTerm } from "@/gen/recordroute/gateway/v1/vocabulary_pb";
import { languageOf } from "@/lib/script";
import { Badge } from "@/ui/Badge";
import { Button, IconButton } from "@/ui/Button";
import { TextArea } from "@/ui/Field";
import { ErrorNotice } from "@/ui/Notice";
import { EmptyState, ErrorState, LoadingState } from "@/ui/State";
import { useToasts } from "@/ui/Toast";
import { Card, Row, Rows } from "../Card";
import { useCaller } from "../caller";
import { NextPage } from "../NextPage";
import { NoAccess } from "../NoAccess";
import { vocabulary } from "./client";
import { batches, readTerms } from "./terms";

const PAGE = 200;

function useAddTerms() {
  const cache = useQueryClient();
  return useMutation({
    mutationFn: async (terms: string[]) => {
      for (const texts of batches(terms))
        await vocabulary.addTerms({ requestId: crypto.randomUUID(), texts });
    },
    onSettled: () => cache.invalidateQueries({ queryKey: keys.vocabulary }),
  });
}

function AddTerms() {
  const { t } = useTranslation("settings");
  const toasts = useToasts();
  const [text, setText] = useState("");
  const add = useAddTerms();
  const { terms, tooLong } = readTerms(text);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (terms.length === 0 || tooLong.length > 0) return;
    add.mutate(terms, {
      onSuccess: () => {
        setText("");
        toasts.show(t("termsAdded", { count: terms.length }));
      },
    });
  };
  return (
    <form onSubmit={submit}>
      <Card title={t("addTerms")} text={t("vocabularyText")}>
        <TextArea
          label={t("terms")}
          hint={t("termsHint")}
          error={tooLong[0] === undefined ? undefined : t("termTooLong", { term: tooLong[0] })}
          rows={3}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        {add.isError && <ErrorNotice error={add.error} />}
        <div>
          <Button
            type="submit"
            variant="primary"
            icon={<Plus />}
            busy={add.isPending}
            disabled={terms.length === 0 || tooLong.length > 0}
          >
            {terms.length > 1 ? t("addCount", { count: terms.length }) : t("add")}
          </Button>
        </div>
      </Card>
    </form>
  );
}

function TermRow({ term, canWrite }: { term: VocabularyTerm; canWrite: boolean }) {
  const { t } = useTranslation("settings");
  const cache = useQueryClient();
  const toasts = useToasts();
  const add = useAddTerms();
  const remove = useMutation({
    mutationFn: () => vocabulary.removeTerms({ requestId: crypto.randomUUID(), texts: [term.text] }),
    onSuccess: () =>
      toasts.show(t("termRemoved", { term: term.text }), {
        label: t("undo"),
        onAction: () => add.mutate([term.text], { onError: toasts.showError }),
      }),
    onError: toasts.showError,
    onSettled: () => cache.invalidateQueries({ queryKey: keys.vocabulary }),
  });
  const heard = term.heardAs.length === 0 ? undefined : t("heardAs", { words: term.heardAs.join(", ") });
  return (
    <Row
      title={<span lang={languageOf(term.text)}>{term.text}</span>}
      badges={term.learned && <Badge tone="accent">{t("learned", { count: term.correctionCount })}</Badge>}
      details={heard}
      actions={
        canWrite && (
          <IconButton
            size="small"
            label={t("removeTerm", { term: term.text })}
            icon={<Trash2 />}
            busy={remove.isPending}
            onClick={() => remove.mutate()}
          />
        )
      }
    />
  );
}

/** Words that new transcriptions look out for. */
export default function Vocabulary() {
  const { t } = useTranslation("settings");
  const { canWrite } = useCaller();
  const list = useInfiniteQuery({
    queryKey: keys.vocabulary,
    queryFn: ({ pageParam }) => vocabulary.listTerms({ pageSize: PAGE, pageToken: pageParam }),
    initialPageParam: "",
    getNextPageParam: (page) => page.nextPageToken || undefined,
  });
  const renderList = () => {
    if (list.isPending) return <LoadingState />;
    if (list.isError) return <ErrorState error={list.error} onRetry={() => void list.refetch()} />;
    const terms = list.data.pages.flatMap((page) => page.terms);
    if (terms.length === 0) {
      return <EmptyState icon={<BookA />} title={t("noTerms")} text={t("noTermsText")} />;
    }
    return (
      <Card title={t("vocabulary")}>
        <Rows label={t("vocabulary")}>
          {terms.map((term) => (
            <TermRow key={term.text} term={term} canWrite={canWrite} />
          ))}
        </Rows>
        <NextPage query={list} />
      </Card>
    );
  };
  return (
    <>
      {canWrite ? <AddTerms /> : <NoAccess scope="write" />}
      {renderList()}
    </>
  );
}
