import { CalendarDays, UserRound } from "lucide-react";
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
import { EvidenceChips, type SeekTo } from "./EvidenceChips";
import styles from "./Minutes.module.css";
import { furtherFields } from "./markdown";

type SectionProps = {
  section: MinutesSection;
  recording: Recording;
  onSeek: SeekTo;
  done: ReadonlySet<string>;
  onTick: (text: string, done: boolean) => void;
};

function ActionFields({ item }: { item: MinutesItem }) {
  const { t } = useTranslation("recording/minutes");
  const value = (name: string) => item.fields.find((field) => field.name === name)?.value ?? "";
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

function CustomFields({ item }: { item: MinutesItem }) {
  const fields = furtherFields(item);
  if (fields.length === 0) return null;
  return (
    <dl className={styles.fields}>
      {fields.map((field) => (
        <div key={field.name}>
          <dt>{field.name}</dt>
          <dd>{field.value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A section of the minutes; action items are a list to tick off. */
export function Section({ section, recording, onSeek, done, onTick }: SectionProps) {
  const { t } = useTranslation("recording/minutes");
  const headingId = useId();
  const isTasks = section.kind === MinutesSectionKind.ACTION_ITEMS;
  const doneCount = section.items.filter((item) => done.has(item.text)).length;
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
      <ul className={styles.items} lang={languageOf(section.items[0]?.text ?? "")}>
        {section.items.map((item) => (
          <li key={`${item.text}-${item.evidence[0]?.segmentIndex}`} className={styles.item}>
            {isTasks ? (
              <Checkbox
                className={styles.task}
                checked={done.has(item.text)}
                onChange={(event) => onTick(item.text, event.target.checked)}
                label={<span className={done.has(item.text) ? styles.done : undefined}>{item.text}</span>}
              />
            ) : (
              <p className={styles.line}>{item.text}</p>
            )}
            {!isTasks && <CustomFields item={item} />}
            <div className={isTasks ? `${styles.notes} ${styles.taskNotes}` : styles.notes}>
              {isTasks && <ActionFields item={item} />}
              <EvidenceChips evidence={item.evidence} recording={recording} onSeek={onSeek} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
