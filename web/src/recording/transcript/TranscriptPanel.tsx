import { useQuery } from "@tanstack/react-query";
import { ArrowDownToLine, CircleAlert } from "lucide-react";
import { type MouseEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { library } from "@/api/clients";
import { useErrorText } from "@/api/errors";
import { keys } from "@/api/queries";
import { type Recording, RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import { copyText } from "@/lib/clipboard";
import { speakerColour, speakerName } from "@/lib/speakers";
import { Button } from "@/ui/Button";
import { useToasts } from "@/ui/Toast";
import type { Player } from "../player/Player";
import { isTaken, shortcutOf } from "../player/shortcuts";
import { copiedSelection, copiedText } from "./copyText";
import { type Edit, newSpeakerLabel } from "./edits";
import { FindBar } from "./FindBar";
import type { Match } from "./find";
import type { Transcript } from "./model";
import { rowsOf } from "./rows";
import { SegmentEditor } from "./SegmentEditor";
import type { SegmentActions, SpeakerChoice } from "./SegmentMenu";
import { SegmentRow } from "./SegmentRow";
import { SpeakerDialog } from "./SpeakerDialog";
import { TranscriptList, type TranscriptListHandle } from "./TranscriptList";
import styles from "./TranscriptPanel.module.css";
import type { TranscriptStore } from "./TranscriptStore";
import { TranscriptToolbar } from "./TranscriptToolbar";
import { isInside, quotedIn, type Target } from "./target";
import { useFind } from "./useFind";
import { useSegmentEditing } from "./useSegmentEditing";
import { useEditState } from "./useTranscript";
import { useViewPreferences } from "./viewPreferences";

type TranscriptPanelProps = {
  recording: Recording;
  transcript: Transcript;
  store: TranscriptStore;
  player: Player | null;
  canEdit: boolean;
  target: Target | null;
  /** Why the rest could not be read; null where nothing went wrong. */
  error: unknown;
  onRetry: () => void;
  onHistory: () => void;
};

/** The transcript: to read, to hear, to search and to correct. */
export function TranscriptPanel({ recording, transcript, store, player, ...more }: TranscriptPanelProps) {
  const { t } = useTranslation("recording");
  const toasts = useToasts();
  const state = useEditState(store);
  const canEdit = more.canEdit && transcript.complete;
  const { segments, speakers } = transcript;
  const isDocument = recording.kind === RecordingKind.DOCUMENT;
  const list = useRef<TranscriptListHandle>(null);
  const findField = useRef<HTMLInputElement>(null);
  const [preferences, setPreferences] = useViewPreferences();
  const [showsRemoved, setShowsRemoved] = useState(false);
  const [isFollowing, setFollowing] = useState(true);
  const [named, setNamed] = useState<string | null>(null);
  const editing = useSegmentEditing(store, segments);
  const removed = useRemovedText(recording.id, showsRemoved);
  const rows = useMemo(
    () => rowsOf(segments, showsRemoved ? removed : []),
    [segments, showsRemoved, removed],
  );

  const showMatch = useCallback((match: Match) => {
    list.current?.stopFollowing();
    list.current?.reveal(match.segment);
  }, []);
  const finding = useFind(segments, () => list.current?.firstInView() ?? 0, showMatch);

  const numbered = useCallback((number: string) => t("speakerNumber", { number }), [t]);
  const nameOf = useCallback((label: string) => speakerName(label, speakers, numbered), [speakers, numbered]);
  const choices = useMemo<SpeakerChoice[]>(
    () => speakers.map(({ label }) => ({ label, name: nameOf(label) })),
    [speakers, nameOf],
  );

  const change = useCallback(
    async (edits: readonly Edit[]) => {
      try {
        await store.edit(edits);
      } catch (error) {
        toasts.showError(error);
      }
    },
    [store, toasts],
  );
  const undo = useCallback(() => void store.undo().catch(toasts.showError), [store, toasts]);
  const redo = useCallback(() => void store.redo().catch(toasts.showError), [store, toasts]);

  const { begin } = editing;
  const actions = useMemo<SegmentActions>(() => {
    const known = () => store.transcript?.segments ?? [];
    const copy = async (text: string) => {
      try {
        await copyText(text);
        toasts.show(t("copied"));
      } catch (error) {
        toasts.showError(error);
      }
    };
    return {
      play:
        player === null
          ? null
          : (seconds) => {
              list.current?.follow();
              player.playFrom(seconds);
            },
      edit: (index) => begin(index),
      merge: (first) => void change([{ kind: "merge", first, last: first + 1 }]),
      assign: (index, label) => void change([{ kind: "assign", segments: [index], label }]),
      assignNew: (index) => {
        const label = newSpeakerLabel(store.transcript?.speakers ?? []);
        void change([{ kind: "assign", segments: [index], label }]).then(() => setNamed(label));
      },
      nameSpeaker: setNamed,
      copy: (index) => void copy(copiedText(known(), nameOf, index, index)),
      copyLink: (index) => {
        const seconds = Math.floor((known()[index]?.start ?? 0) * 10) / 10;
        void copy(`${window.location.origin}/recordings/${recording.id}?t=${seconds}`);
      },
    };
  }, [store, player, begin, change, nameOf, recording.id, t, toasts]);

  const openFind = useCallback(() => {
    finding.open();
    // It may be there already.
    requestAnimationFrame(() => findField.current?.select());
  }, [finding.open]);
  const { target } = more;
  // The page that it stands on may still be on its way.
  const isTargetThere = target !== null && target.segment < segments.length;
  // What is heard is marked by itself.
  const marked = player === null ? target : null;
  const quoted = useMemo(() => (marked === null ? [] : quotedIn(segments, marked)), [marked, segments]);
  const shown = quoted[0]?.segment ?? target?.segment;
  useEffect(() => {
    if (target !== null && isTargetThere) list.current?.reveal(shown ?? target.segment);
  }, [target, shown, isTargetThere]);
  useShortcuts({ canEdit, openFind, undo, redo, begin, list, player, store });

  /** A click on a word is a click to hear it, unless it ends a selection. */
  const onClick = (event: MouseEvent) => {
    const place = wordOf(event.target);
    if (place === null || player === null || event.detail > 1) return;
    if (document.getSelection()?.isCollapsed === false) return;
    const word = segments[place.segment]?.words[place.word];
    if (word !== undefined) actions.play?.(word.start);
  };
  const onDoubleClick = (event: MouseEvent) => {
    const text = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-text]") : null;
    if (text === null || !canEdit) return;
    event.preventDefault();
    player?.pause();
    begin(Number(text.dataset.text), caretIn(text));
  };

  const { editing: edited } = editing;
  const threshold = preferences.marksUncertain ? preferences.threshold : 0;
  const renamed = speakers.find(({ label }) => label === named);
  return (
    <div className={styles.panel}>
      <TranscriptToolbar
        title={t(isDocument ? "text" : "transcript")}
        state={state}
        canEdit={more.canEdit}
        isFinding={finding.isOpen}
        preferences={preferences}
        onPreferences={setPreferences}
        showsRemoved={showsRemoved}
        onShowRemoved={setShowsRemoved}
        onFind={finding.isOpen ? finding.close : openFind}
        onUndo={undo}
        onRedo={redo}
        onHistory={isDocument ? null : more.onHistory}
        onCopyAll={() =>
          void copyText(copiedText(segments, nameOf)).then(
            () => toasts.show(t("copiedTranscript")),
            toasts.showError,
          )
        }
      />
      {finding.isOpen && (
        <FindBar
          ref={findField}
          wanted={finding.wanted}
          onWanted={finding.want}
          count={finding.matches.length}
          current={finding.current}
          onStep={finding.step}
          canReplace={canEdit}
          onReplace={(replacement) => {
            const match = finding.matches[finding.current];
            const before = match === undefined ? undefined : segments[match.segment];
            if (match === undefined || before === undefined) return;
            void change([replaceMatch(before.text, match, replacement)]);
          }}
          onReplaceAll={(replacement) => {
            const { find, matchCase, wholeWords } = finding.wanted;
            void store
              .edit([{ kind: "replaceAll", find, replacement, matchCase, wholeWords }])
              .then(
                ({ replacedCount }) =>
                  toasts.show(t("replaced", { count: replacedCount }), { label: t("undo"), onAction: undo }),
                toasts.showError,
              );
          }}
          onClose={() => {
            finding.close();
          }}
        />
      )}
      <Incomplete error={more.error} onRetry={more.onRetry} />
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the same is reached by the time stamps and the pencils */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above, and by the keys "," and "." */}
      <div
        className={styles.body}
        onClick={onClick}
        onDoubleClick={onDoubleClick}
        onCopy={(event) => {
          const selection = document.getSelection();
          if (selection === null || event.target instanceof HTMLTextAreaElement) return;
          const text = copiedSelection(selection, event.currentTarget, segments, nameOf);
          if (text === null) return;
          event.preventDefault();
          event.clipboardData.setData("text/plain", text);
        }}
      >
        <TranscriptList
          ref={list}
          name={t(isDocument ? "text" : "transcript")}
          transcript={transcript}
          rows={rows}
          player={player}
          finding={finding}
          quoted={quoted}
          edited={edited?.index ?? null}
          onFollowing={setFollowing}
          renderSegment={(index, row) => {
            const segment = segments[index];
            if (segment === undefined) return null;
            return (
              <SegmentRow
                segment={segment}
                index={index}
                isTurn={row.isTurn}
                isPage={row.isPage}
                isLast={index === segments.length - 1}
                name={segment.speaker === "" ? "" : nameOf(segment.speaker)}
                isTarget={isInside(marked, index)}
                colour={segment.speaker === "" ? "var(--line-strong)" : speakerColour(segment.speaker)}
                threshold={threshold}
                canEdit={canEdit}
                speakers={choices}
                actions={actions}
                editor={
                  edited?.index === index ? (
                    <SegmentEditor
                      segment={segment}
                      draft={edited.draft}
                      caret={edited.caret}
                      problem={edited.problem}
                      onDraft={editing.type}
                      onSave={editing.save}
                      onSplit={editing.split}
                      onCancel={editing.cancel}
                      onPlay={player === null ? null : () => player.playFrom(segment.start)}
                    />
                  ) : null
                }
              />
            );
          }}
        />
        {player !== null && !isFollowing && (
          <div className={styles.follow}>
            <Button
              size="small"
              variant="primary"
              icon={<ArrowDownToLine />}
              onClick={() => list.current?.follow()}
            >
              {t("follow")}
            </Button>
          </div>
        )}
      </div>
      {named !== null && (
        <SpeakerDialog
          recordingId={recording.id}
          label={named}
          shown={nameOf(named)}
          name={renamed?.name ?? ""}
          onRename={(name) => store.edit([{ kind: "rename", label: named, name }])}
          onClose={() => setNamed(null)}
        />
      )}
    </div>
  );
}

function Incomplete({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { t } = useTranslation("ui");
  const text = useErrorText(error);
  if (error === null) return null;
  return (
    <div className={styles.incomplete} role="alert">
      <CircleAlert aria-hidden />
      <p>{text}</p>
      <Button size="small" onClick={onRetry}>
        {t("retry")}
      </Button>
    </div>
  );
}

function useRemovedText(recordingId: string, isWanted: boolean) {
  const query = useQuery({
    queryKey: keys.removedText(recordingId),
    enabled: isWanted,
    queryFn: async ({ signal }) => {
      const page = await library.getTranscript(
        { recordingId, pageSize: 1, includeRemovedText: true },
        { signal },
      );
      return page.removed;
    },
  });
  return useMemo(() => query.data ?? [], [query.data]);
}

type Shortcuts = {
  canEdit: boolean;
  openFind: () => void;
  undo: () => void;
  redo: () => void;
  begin: (index: number) => void;
  list: React.RefObject<TranscriptListHandle | null>;
  player: Player | null;
  store: TranscriptStore;
};

/** The keys that belong to the text; those of the sound are the page's. */
function useShortcuts({ canEdit, openFind, undo, redo, begin, list, player, store }: Shortcuts) {
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      const shortcut = shortcutOf(event);
      if (shortcut === null || isTaken(event, shortcut)) return;
      switch (shortcut.do) {
        case "find":
          openFind();
          break;
        case "undo":
        case "redo":
          if (!canEdit) return;
          (shortcut.do === "undo" ? undo : redo)();
          break;
        case "edit": {
          if (!canEdit) return;
          const focused = document.activeElement?.closest<HTMLElement>("[data-segment]")?.dataset.segment;
          const heard = list.current?.heard() ?? -1;
          begin(
            focused !== undefined ? Number(focused) : heard >= 0 ? heard : (list.current?.firstInView() ?? 0),
          );
          break;
        }
        case "segment": {
          const from = list.current?.heard() ?? -1;
          const segment = store.transcript?.segments[Math.max(0, from + shortcut.step)];
          if (segment === undefined || player === null) return;
          list.current?.follow();
          player.seek(segment.start);
          break;
        }
        default:
          return;
      }
      event.preventDefault();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  }, [canEdit, openFind, undo, redo, begin, list, player, store]);
}

function wordOf(target: EventTarget): { segment: number; word: number } | null {
  if (!(target instanceof Element)) return null;
  const word = target.closest<HTMLElement>("[data-word]");
  const text = word?.closest<HTMLElement>("[data-text]");
  if (!word || !text) return null;
  return { segment: Number(text.dataset.text), word: Number(word.dataset.word) };
}

/** Returns where the selection begins in an element's text, in UTF-16 units. */
function caretIn(text: HTMLElement): number | null {
  const selection = document.getSelection();
  if (selection === null || selection.rangeCount === 0) return null;
  const before = document.createRange();
  before.selectNodeContents(text);
  const { startContainer, startOffset } = selection.getRangeAt(0);
  if (!text.contains(startContainer)) return null;
  before.setEnd(startContainer, startOffset);
  return before.toString().length;
}

function replaceMatch(text: string, match: Match, replacement: string): Edit {
  const start = [...text.slice(0, match.start)].length;
  const end = start + [...text.slice(match.start, match.end)].length;
  return { kind: "replaceText", segment: match.segment, start, end, text: replacement };
}
