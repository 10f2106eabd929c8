import { Play, Split } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { clock } from "@/lib/time";
import { Button, IconButton } from "@/ui/Button";
import type { Segment } from "./model";
import styles from "./SegmentEditor.module.css";

export type Problem = {
  text: string;
  /** What somebody else has made of the segment meanwhile; null where that is not the matter. */
  theirs: string | null;
};

type SegmentEditorProps = {
  segment: Segment;
  draft: string;
  /** Where the caret begins, in UTF-16 units; null: at the end. */
  caret: number | null;
  problem: Problem | null;
  onDraft: (draft: string, caret: number) => void;
  onSave: () => void;
  onSplit: (caret: number) => void;
  onCancel: () => void;
  onPlay: (() => void) | null;
};

/** The text of a segment as a field. Enter saves, Escape leaves it as it was, Ctrl+Enter splits at the caret. */
export function SegmentEditor({ segment, draft, caret, problem, ...on }: SegmentEditorProps) {
  const { t } = useTranslation("recording");
  const { t: common } = useTranslation("ui");
  const noteId = useId();
  const area = useRef<HTMLTextAreaElement>(null);
  /** Later carets are the field's own: to set them would disturb those who compose letters. */
  const first = useRef(caret);
  useEffect(() => {
    const field = area.current;
    if (field === null) return;
    field.focus({ preventScroll: true });
    const place = first.current ?? field.value.length;
    field.setSelectionRange(place, place);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as high as what has been typed, in browsers that don't do it themselves
  useLayoutEffect(() => {
    const field = area.current;
    if (field === null || CSS.supports("field-sizing", "content")) return;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }, [draft]);
  const split = () => on.onSplit(area.current?.selectionStart ?? 0);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      on.onCancel();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      split();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      on.onSave();
    }
  };
  return (
    <div className={styles.editor}>
      <textarea
        ref={area}
        className={styles.area}
        aria-label={t("segmentText", { time: clock(segment.start) })}
        aria-describedby={noteId}
        aria-invalid={problem !== null || undefined}
        rows={1}
        value={draft}
        onChange={({ currentTarget: field }) => on.onDraft(field.value, field.selectionStart)}
        onKeyDown={onKeyDown}
      />
      {problem !== null && (
        <div className={styles.problem} role="alert">
          <p>{problem.text}</p>
          {problem.theirs !== null && (
            <p>
              {t("theirText")} <q>{problem.theirs}</q>
            </p>
          )}
        </div>
      )}
      <div className={styles.actions}>
        <p id={noteId} className={styles.note}>
          {t("editHint")}
        </p>
        {on.onPlay !== null && (
          <IconButton size="small" label={t("playSegment")} icon={<Play />} onClick={on.onPlay} />
        )}
        <IconButton
          size="small"
          label={t("splitHere")}
          icon={<Split />}
          // The field keeps its caret.
          onPointerDown={(event) => event.preventDefault()}
          onClick={split}
        />
        <Button size="small" onClick={on.onCancel}>
          {common("cancel")}
        </Button>
        <Button size="small" variant="primary" onClick={on.onSave}>
          {t("save")}
        </Button>
      </div>
    </div>
  );
}
