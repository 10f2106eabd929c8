import { Ellipsis, Pencil } from "lucide-react";
import { Fragment, memo, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { clock, isoDuration } from "@/lib/time";
import type { Segment } from "./model";
import { SegmentMenu, type SegmentMenuProps } from "./SegmentMenu";
import styles from "./SegmentRow.module.css";

type SegmentRowProps = Omit<SegmentMenuProps, "onClose"> & {
  isTurn: boolean;
  isPage: boolean;
  /** A link has led here. */
  isTarget: boolean;
  name: string;
  colour: string;
  /** Words below this probability are marked; 0: none. */
  threshold: number;
  /** Stands in the place of the text while it is edited. */
  editor: ReactNode;
};

/** A segment: when, who, what, and what can be done with it. */
export const SegmentRow = memo(function SegmentRow({
  isTurn,
  isPage,
  isTarget,
  name,
  colour,
  threshold,
  editor,
  ...menu
}: SegmentRowProps) {
  const { t } = useTranslation("recording");
  const { segment, index, canEdit, actions } = menu;
  const time = clock(segment.start);
  return (
    <div className={styles.row} style={{ "--speaker": colour }}>
      {isPage && <h3 className={styles.page}>{t("page", { page: segment.page })}</h3>}
      {isTurn &&
        (canEdit ? (
          <button
            type="button"
            className={styles.speaker}
            title={t("renameSpeaker", { name })}
            onClick={() => actions.nameSpeaker(segment.speaker)}
          >
            {name}
            <span className="visually-hidden">: {t("renameSpeakerShort")}</span>
          </button>
        ) : (
          <p className={styles.speaker}>{name}</p>
        ))}
      <div className={styles.line}>
        {actions.play === null ? (
          <span className={styles.place}>{segment.line > 0 ? t("line", { line: segment.line }) : null}</span>
        ) : (
          <button
            type="button"
            className={styles.time}
            aria-label={t("playFrom", { time })}
            onClick={() => actions.play?.(segment.start)}
          >
            <time dateTime={isoDuration(segment.start)}>{time}</time>
          </button>
        )}
        {editor ?? (
          <p
            className={styles.text}
            data-text={index}
            data-target={isTarget || undefined}
            aria-current={isTarget ? "location" : undefined}
          >
            <Words segment={segment} threshold={threshold} />
          </p>
        )}
        {editor === null && <Tools {...menu} time={time} />}
      </div>
    </div>
  );
});

function Words({ segment, threshold }: { segment: Segment; threshold: number }) {
  const { words, text } = segment;
  // Words that don't say the text would be another text.
  const isTold = words.reduce((joined, word) => joined + word.text, "").trim() === text;
  if (words.length === 0 || !isTold) return text;
  return words.map((word, position) => {
    const spoken = word.text.trimStart();
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: a word is its position in the segment
      <Fragment key={position}>
        {position > 0 && word.text.slice(0, word.text.length - spoken.length)}
        <span data-word={position} className={word.probability < threshold ? styles.uncertain : undefined}>
          {spoken}
        </span>
      </Fragment>
    );
  });
}

/** Menus are made when they are asked for: a list that is scrolled fast can't afford one for each row. */
function Tools({ time, ...menu }: Omit<SegmentMenuProps, "onClose"> & { time: string }) {
  const { t } = useTranslation("recording");
  const [hasMenu, setMenu] = useState(false);
  const { actions, index, canEdit } = menu;
  return (
    <span className={styles.tools}>
      {canEdit && (
        <button
          type="button"
          className={styles.edit}
          aria-label={t("editSegment", { time })}
          title={t("edit")}
          onClick={() => actions.edit(index)}
        >
          <Pencil aria-hidden />
        </button>
      )}
      {hasMenu ? (
        <SegmentMenu {...menu} onClose={() => setMenu(false)} />
      ) : (
        <button
          type="button"
          aria-label={t("segmentMenu", { time })}
          aria-haspopup="menu"
          title={t("more")}
          onClick={() => setMenu(true)}
        >
          <Ellipsis aria-hidden />
        </button>
      )}
    </span>
  );
}
