import { CalendarDays, PenLine, UserRound } from "lucide-react";
import { useId } from "react";
import { useTranslation } from "react-i18next";
import {
  type MinutesItem,
  type MinutesSection,
  MinutesSectionKind,
} from "@/gen/recordroute/common/v1/minutes_pb";
import type { Recording } from "@/gen/recordroute/gateway/v1/library_pb";
import { languageOf } from "@/lib/script";
import { Badge } from "@/ui/Badge";
import { Checkbox } from "@/ui/Field";
import { EditableText } from "./EditableText";
import { EvidenceChips, type SeekTo } from "./EvidenceChips";
import styles from "./Minutes.module.css";
import { furtherFields } from "./markdown";
import { useNamed } from "./places";
import type { EditMinutes } from "./useMinutesEdits";

type SectionProps = {
  section: MinutesSection;
  recording: Recording;
  onSeek: SeekTo;
  /** Place of the section in the minutes, from 0. */
  index: number;
  /** Undefined for those who may only read. */
  onEdit: EditMinutes | undefined;
};

type FieldsProps = { item: MinutesItem; named: (text: string) => string };

function ActionFields({ item, named }: FieldsProps) {
  const { t } = useTranslation("recording/minutes");
  const value = (name: string) => named(item.fields.find((field) => field.name === name)?.value ?? "");
  return (
    <>
      {value("owner") !== "" && (
        <Badge tone="accent" icon={<UserRound aria-hidden />}>
          <span className="visually-hidden">{t("owner")}: </span>
          {value("owner")}
        </Badge>
      )}
      {value("due") !== "" && (
        <Badge icon={<CalendarDays aria-hidden />}>
          <span className="visually-hidden">{t("due")}: </span>
          {value("due")}
        </Badge>
      )}
    </>
  );
}

function CustomFields({ item, named }: FieldsProps) {
  const fields = furtherFields(item);
  if (fields.length === 0) return null;
  return (
    <dl className={styles.fields}>
      {fields.map((field) => (
        <div key={field.name}>
          <dt>{field.name}</dt>
          <dd>{named(field.value)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A section of the minutes; action items are a list to tick off. */
export function Section({ section, recording, onSeek, index, onEdit }: SectionProps) {
  const { t } = useTranslation("recording/minutes");
  const headingId = useId();
  const named = useNamed(recording);
  const isTasks = section.kind === MinutesSectionKind.ACTION_ITEMS;
  const isTopics = section.kind === MinutesSectionKind.TOPICS;
  const doneCount = section.items.filter((item) => item.done).length;
  return (
    <section aria-labelledby={headingId} className={styles.section}>
      <div className={styles.sectionHead}>
        <h2 id={headingId}>{section.title}</h2>
        {isTasks && (
          <span className={styles.muted} aria-live="polite">
            {t("doneCount", { done: doneCount, count: section.items.length })}
          </span>
        )}
      </div>
      <ul
        className={isTopics ? `${styles.items} ${styles.topics}` : styles.items}
        lang={languageOf(section.items[0]?.text ?? "")}
      >
        {section.items.map((item, itemIndex) => {
          const line = { sectionIndex: index, itemIndex };
          const text = isTasks ? (
            <Checkbox
              className={styles.task}
              checked={item.done}
              disabled={onEdit === undefined}
              onChange={(event) =>
                void onEdit?.({ edit: { case: "tickLine", value: { line, done: event.target.checked } } })
              }
              label={<span className={item.done ? styles.done : undefined}>{named(item.text)}</span>}
            />
          ) : (
            <p className={styles.line}>{named(item.text)}</p>
          );
          return (
            <li
              key={`${item.text}-${item.evidence[0]?.segmentIndex}`}
              className={isTopics ? `${styles.item} ${styles.topic}` : styles.item}
            >
              <EditableText
                label={t("lineOf", { section: section.title })}
                text={item.text}
                onSave={
                  onEdit &&
                  ((words) => onEdit({ edit: { case: "rewriteLine", value: { line, text: words } } }))
                }
                onRemove={async () => onEdit?.({ edit: { case: "removeLine", value: line } }) ?? false}
              >
                {text}
              </EditableText>
              {!isTasks && <CustomFields item={item} named={named} />}
              <div className={isTasks ? `${styles.notes} ${styles.taskNotes}` : styles.notes}>
                {isTasks && <ActionFields item={item} named={named} />}
                {item.edited && <Badge icon={<PenLine aria-hidden />}>{t("edited")}</Badge>}
                <EvidenceChips evidence={item.evidence} recording={recording} onSeek={onSeek} />
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
