import { AudioLines, Ellipsis, FileText, Film, Folder, Users } from "lucide-react";
import { type KeyboardEvent, lazy, type MouseEvent, memo, useRef, useState } from "react";
import { Access, type Recording, RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import { currentLocale } from "@/i18n";
import { languageName } from "@/lib/languages";
import { size } from "@/lib/size";
import { clock, dateOf, dayAndTime, fullDateAndTime, isoDuration, secondsOf } from "@/lib/time";
import { IconButton } from "@/ui/Button";
import { Deferred } from "@/ui/Deferred";
import { Checkbox } from "@/ui/Field";
import { TitleLink } from "@/ui/TitleLink";
import type { Sort } from "./filter";
import type { Asking } from "./LibraryPage";
import styles from "./RecordingRow.module.css";
import { RenameField } from "./RenameField";
import { RowState } from "./RowState";
import type { WithTexts } from "./row";
import type { Actions } from "./useActions";

const RowMenu = lazy(() => import("./RowMenu"));

const MOST_TAGS = 3;
const MOST_NAMES = 3;

/** What a row tells the list. */
export type RowEvents = {
  onRemove: (recording: Recording) => void;
  onToggle: (recording: Recording, isRange: boolean) => void;
  onAsk: (what: Asking["what"], recording: Recording) => void;
  onTag: (tag: string) => void;
  onFolder: (folder: string) => void;
};

type RecordingRowProps = WithTexts & {
  recording: Recording;
  sort: Sort;
  isSelected: boolean;
  actions: Actions;
  events: RowEvents;
};

/** One recording: what it is, how it is, and what can be done with it. */
export const RecordingRow = memo(function RecordingRow(props: RecordingRowProps) {
  const { recording, sort, isSelected, actions, events, t } = props;
  const [isRenaming, setIsRenaming] = useState(false);
  const link = useRef<HTMLAnchorElement>(null);
  const row = useRef<HTMLDivElement>(null);
  const inBin = recording.deletedAt !== undefined;
  const canEdit = recording.access >= Access.WRITE && !inBin;
  const title = recording.title || recording.fileName;
  const menuButton = <IconButton label={t("menuOf", { title })} icon={<Ellipsis />} />;
  const endRename = (renamed: string | null) => {
    setIsRenaming(false);
    if (renamed !== null && renamed !== recording.title) void actions.rename(recording, renamed);
    requestAnimationFrame(() => link.current?.focus());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (isRenaming || event.defaultPrevented) return;
    if (event.key === "F2" && canEdit) {
      event.preventDefault();
      setIsRenaming(true);
    } else if (event.key === "Delete" && recording.access === Access.OWNER && !inBin) {
      events.onRemove(recording);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target === link.current) {
      const item = row.current?.closest("li");
      const next = event.key === "ArrowDown" ? item?.nextElementSibling : item?.previousElementSibling;
      event.preventDefault();
      next?.querySelector("a")?.focus();
    }
  };
  const onDoubleClick = (event: MouseEvent) => {
    const isControl =
      event.target instanceof Element && event.target.closest("a, button, input, label") !== null;
    if (canEdit && !isControl) setIsRenaming(true);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what the keys and the double click do is in the menu as well
    <div
      ref={row}
      className={isSelected ? `${styles.row} ${styles.selected}` : styles.row}
      onKeyDown={onKeyDown}
      onDoubleClick={onDoubleClick}
    >
      <Checkbox
        className={styles.check}
        label={t("select", { title })}
        hideLabel
        checked={isSelected}
        onChange={(event) => {
          const { nativeEvent } = event;
          events.onToggle(recording, nativeEvent instanceof MouseEventType && nativeEvent.shiftKey);
        }}
      />
      <KindIcon recording={recording} t={t} />
      <div className={styles.main}>
        {isRenaming ? (
          <RenameField title={title} onEnd={endRename} />
        ) : (
          <TitleLink ref={link} href={`/recordings/${recording.id}`}>
            {title}
          </TitleLink>
        )}
        <Facts recording={recording} events={events} t={t} />
      </div>
      <div className={styles.state}>
        <RowState recording={recording} t={t} />
      </div>
      <Length recording={recording} sort={sort} t={t} />
      <When recording={recording} sort={sort} />
      <Deferred opens="menu" trigger={menuButton}>
        <RowMenu
          recording={recording}
          trigger={menuButton}
          actions={actions}
          onRename={() => setIsRenaming(true)}
          onRemove={() => events.onRemove(recording)}
          onAsk={(what) => events.onAsk(what, recording)}
        />
      </Deferred>
    </div>
  );
});

/** The browser's own events, not React's of the same name. */
const MouseEventType = window.MouseEvent;

function KindIcon({ recording, t }: WithTexts & { recording: Recording }) {
  const isDocument = recording.kind === RecordingKind.DOCUMENT;
  const Icon = isDocument ? FileText : recording.mediaType.startsWith("video/") ? Film : AudioLines;
  return (
    <span className={styles.kind}>
      <Icon aria-hidden />
      <span className="visually-hidden">{t(isDocument ? "document" : "media")}</span>
    </span>
  );
}

function speakersOf({ speakers }: Recording, t: WithTexts["t"]): string {
  if (speakers.length === 0) return "";
  const names = speakers.map(({ name }) => name).filter(Boolean);
  if (names.length === 0) return t("speakersCount", { count: speakers.length });
  const rest = speakers.length - Math.min(names.length, MOST_NAMES);
  return names.slice(0, MOST_NAMES).join(", ") + (rest > 0 ? ` +${rest}` : "");
}

function Facts({ recording, events, t }: WithTexts & { recording: Recording; events: RowEvents }) {
  const speakers = speakersOf(recording, t);
  const { folder, tags, language, access, owner } = recording;
  const rest = tags.length - MOST_TAGS;
  return (
    <ul className={styles.facts}>
      {language !== "" && <li>{languageName(language, currentLocale())}</li>}
      {speakers !== "" && (
        <li>
          <Users aria-hidden />
          <span className="visually-hidden">{t("speakers")}: </span>
          {speakers}
        </li>
      )}
      {folder !== "" && (
        <li>
          <button type="button" className={styles.label} onClick={() => events.onFolder(folder)}>
            <Folder aria-hidden />
            <span className="visually-hidden">{t("folder")}: </span>
            {folder}
          </button>
        </li>
      )}
      {tags.slice(0, MOST_TAGS).map((tag) => (
        <li key={tag}>
          <button type="button" className={styles.tag} onClick={() => events.onTag(tag)}>
            <span className="visually-hidden">{t("tag")}: </span>
            {tag}
          </button>
        </li>
      ))}
      {rest > 0 && <li title={tags.slice(MOST_TAGS).join(", ")}>+{rest}</li>}
      {access !== Access.OWNER && <li>{t("sharedBy", { user: owner })}</li>}
    </ul>
  );
}

function Length({ recording, sort, t }: WithTexts & { recording: Recording; sort: Sort }) {
  if (sort === "size")
    return <span className={styles.length}>{size(recording.sizeBytes, currentLocale())}</span>;
  if (recording.kind === RecordingKind.DOCUMENT) {
    const text = recording.pageCount > 0 ? t("pages", { count: recording.pageCount }) : "";
    return <span className={styles.length}>{text}</span>;
  }
  const seconds = secondsOf(recording.duration);
  return (
    <time className={styles.length} dateTime={isoDuration(seconds)}>
      {recording.duration === undefined ? "" : clock(seconds)}
    </time>
  );
}

function When({ recording, sort }: { recording: Recording; sort: Sort }) {
  const date = dateOf(sort === "recorded" ? recording.recordedAt : recording.createdAt);
  if (date === null) return <span />;
  const language = currentLocale();
  const full = fullDateAndTime(date, language);
  return (
    <time className={styles.when} dateTime={date.toISOString()} title={full}>
      {dayAndTime(date, language)}
    </time>
  );
}
