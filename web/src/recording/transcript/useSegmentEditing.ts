import { useCallback, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { errorText } from "@/api/errors";
import { useAskBeforeLeaving } from "@/lib/useAskBeforeLeaving";
import { useToasts } from "@/ui/Toast";
import { cleanText } from "./codePoints";
import { rebased, relocated, splitEdits, textEdits } from "./drafts";
import type { Edit } from "./edits";
import type { Segment } from "./model";
import type { Problem } from "./SegmentEditor";
import { TranscriptChanged, type TranscriptStore } from "./TranscriptStore";

export type Editing = {
  index: number;
  /** The segment as it was when the editing began. */
  before: Segment;
  draft: string;
  caret: number | null;
  problem: Problem | null;
};

export type SegmentEditing = {
  editing: Editing | null;
  begin: (index: number, caret?: number | null) => void;
  type: (draft: string, caret: number) => void;
  save: () => void;
  split: (caret: number) => void;
  cancel: () => void;
};

/**
 * The segment whose text is being edited. It is closed as soon as it is saved; where the server refuses, it opens again
 * with what was typed, so that nothing is lost, also when somebody else has changed the transcript meanwhile.
 */
export function useSegmentEditing(
  store: Pick<TranscriptStore, "edit" | "undo" | "transcript">,
  segments: readonly Segment[],
): SegmentEditing {
  const { t } = useTranslation("recording");
  const { t: apiText } = useTranslation("api");
  const toasts = useToasts();
  const [editing, setEditing] = useState<Editing | null>(null);
  const current = useRef<Editing | null>(null);
  const put = useCallback((next: Editing | null) => {
    current.current = next;
    setEditing(next);
  }, []);

  const send = useCallback(
    async (edited: Editing, makeEdits: (index: number, text: string) => Edit[], isSecondTry = false) => {
      try {
        await store.edit(makeEdits(edited.index, edited.before.text));
      } catch (error) {
        const segments = store.transcript?.segments ?? [];
        const isOutdated = error instanceof TranscriptChanged;
        const index = isOutdated ? relocated(segments, edited.before) : edited.index;
        const now = segments[index];
        // Somebody else has changed another place: this one is as it was.
        if (isOutdated && !isSecondTry && now?.text === edited.before.text) {
          return send({ ...edited, index, before: now }, makeEdits, true);
        }
        const text = isOutdated ? t("changedMeanwhile") : errorText(error, apiText);
        const reopened: Editing = {
          ...edited,
          index: Math.max(0, index),
          before: now ?? edited.before,
          caret: null,
          problem: { text, theirs: isOutdated ? (now?.text ?? "") : null },
        };
        if (current.current === null && now !== undefined) put(reopened);
        else
          toasts.show(t("notSaved", { text: edited.draft }), {
            label: t("openAgain"),
            onAction: () => put(reopened),
          });
      }
    },
    [store, t, apiText, toasts, put],
  );

  /** Keeps up with the transcript; returns what is edited, or null where somebody else has changed it. */
  const keepUp = useCallback(
    (known: readonly Segment[]): Editing | null => {
      const edited = current.current;
      if (edited === null) return null;
      const now = rebased(edited, known);
      if (now === null) return edited;
      const { index, before, isOther } = now;
      if (index === edited.index && before === edited.before) return edited;
      const isTyped = edited.draft !== edited.before.text;
      const kept: Editing = { ...edited, index, before };
      if (!isOther) put(kept);
      else if (!isTyped) put({ ...kept, draft: before.text });
      else put({ ...kept, problem: { text: t("changedMeanwhile"), theirs: before.text } });
      return isOther && isTyped ? null : current.current;
    },
    [put, t],
  );
  useEffect(() => {
    keepUp(segments);
  }, [segments, keepUp]);

  const save = useCallback(() => {
    const edited = keepUp(store.transcript?.segments ?? []);
    if (edited === null) return;
    put(null);
    if (textEdits(edited.index, edited.before.text, edited.draft).length === 0) return;
    void send(edited, (index, text) => textEdits(index, text, edited.draft));
    if (cleanText(edited.draft) === "") {
      toasts.show(t("segmentRemoved"), {
        label: t("undo"),
        onAction: () => void store.undo().catch(toasts.showError),
      });
    }
  }, [put, send, store, toasts, t, keepUp]);

  const begin = useCallback(
    (index: number, caret: number | null = null) => {
      if (current.current?.index === index) return;
      save();
      const before = store.transcript?.segments[index];
      if (before !== undefined) put({ index, before, draft: before.text, caret, problem: null });
    },
    [save, store, put],
  );

  const type = useCallback(
    (draft: string, caret: number) => {
      if (current.current !== null) put({ ...current.current, draft, caret });
    },
    [put],
  );

  const split = useCallback(
    (caret: number) => {
      const edited = keepUp(store.transcript?.segments ?? []);
      if (edited === null) return;
      if (splitEdits(edited.index, edited.before.text, edited.draft, caret) === null) {
        put({ ...edited, problem: { text: t("nothingToSplit"), theirs: null } });
        return;
      }
      put(null);
      void send(edited, (index, text) => splitEdits(index, text, edited.draft, caret) ?? []);
    },
    [put, send, store, t, keepUp],
  );

  const cancel = useCallback(() => put(null), [put]);

  // Another tab of the page, or another page: what was typed is saved.
  const latestSave = useRef(save);
  latestSave.current = save;
  useEffect(() => () => latestSave.current(), []);
  useAskBeforeLeaving(editing !== null && editing.draft !== editing.before.text);

  return { editing, begin, type, save, split, cancel };
}
