import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "wouter";
import { useHistoryState } from "wouter/use-browser-location";
import { Access, ArtifactKind, type Recording, RecordingKind } from "@/gen/recordroute/gateway/v1/library_pb";
import { quoteOf } from "@/lib/quote";
import { clock, secondsOf } from "@/lib/time";
import { LoadingState } from "@/ui/State";
import { Tabs } from "@/ui/Tabs";
import { useToasts } from "@/ui/Toast";
import { DetailsPanel } from "./details/DetailsPanel";
import { RecordingHeader } from "./header/RecordingHeader";
import { HelpDialog } from "./player/HelpDialog";
import { Player } from "./player/Player";
import { PlayerBar } from "./player/PlayerBar";
import { useBookmarks } from "./player/useBookmarks";
import { useMediaSession } from "./player/useMediaSession";
import { usePlayerShortcuts } from "./player/usePlayerShortcuts";
import styles from "./RecordingView.module.css";
import { TranscriptTab } from "./TranscriptTab";
import { HistoryDialog } from "./transcript/HistoryDialog";
import type { Segment } from "./transcript/model";
import { type Target, targetOf } from "./transcript/target";
import { gapsOf } from "./transcript/times";
import type { TranscriptAccess } from "./transcript/useTranscript";
import { useIsNarrow } from "./useIsNarrow";
import { useUpdateRecording } from "./useUpdateRecording";

const MinutesPanel = lazy(() =>
  import("./minutes/MinutesPanel").then((module) => ({ default: module.MinutesPanel })),
);
const SimilarPanel = lazy(() =>
  import("./similar/SimilarPanel").then((module) => ({ default: module.SimilarPanel })),
);

const NO_SEGMENTS: readonly Segment[] = [];

type RecordingViewProps = {
  recording: Recording;
  transcript: TranscriptAccess;
};

/** The page of a recording that is there. */
export function RecordingView({ recording, transcript: { query, store } }: RecordingViewProps) {
  const { t } = useTranslation("recording");
  const isNarrow = useIsNarrow();
  const hasSound = recording.kind === RecordingKind.MEDIA;
  const [player] = useState(() =>
    hasSound ? new Player(secondsOf(recording.duration), recording.mediaType) : null,
  );
  const update = useUpdateRecording(recording.id);
  const bookmarks = useBookmarks(update);
  const toasts = useToasts();
  const mark = async (seconds: number) => {
    if (await bookmarks.add(seconds)) toasts.show(t("bookmarkAdded", { time: clock(seconds) }));
  };
  const [target, setTarget] = useState<Target | null>(null);
  const [tab, setTab] = useState(isNarrow ? "transcript" : "minutes");
  const [isHistoryOpen, setHistoryOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const canEdit = recording.access >= Access.WRITE && recording.deletedAt === undefined;
  const segments = query.data?.segments ?? NO_SEGMENTS;
  const isComplete = query.data?.complete ?? false;

  useSeekByAddress(player);
  useSegmentByAddress(setTarget);
  useMediaSession(player, recording.title);
  usePlayerShortcuts({
    player,
    store,
    onHelp: () => setHelpOpen(true),
    onBookmark: canEdit ? (seconds) => void mark(seconds) : null,
  });
  useEffect(() => {
    if (isComplete) player?.setGaps(gapsOf(segments));
  }, [player, segments, isComplete]);

  const seek = (seconds: number, segmentIndex?: number) => {
    player?.playFrom(seconds);
    if (segmentIndex !== undefined) setTarget({ segment: segmentIndex, last: segmentIndex, quote: "" });
    // A document is not heard: its text has to be seen.
    if (player === null && isNarrow) setTab("transcript");
  };

  const panels: { value: string; label: ReactNode; content: ReactNode }[] = [
    {
      value: "minutes",
      label: t("minutes"),
      content: (
        <Suspense fallback={<LoadingState />}>
          <MinutesPanel recording={recording} onSeek={seek} />
        </Suspense>
      ),
    },
    {
      value: "details",
      label: t("details"),
      content: (
        <DetailsPanel recording={recording} transcript={query.data} onHistory={() => setHistoryOpen(true)} />
      ),
    },
  ];
  const hasIndex = recording.artifacts.some(({ kind }) => kind === ArtifactKind.INDEX);
  if (hasIndex) {
    panels.splice(1, 0, {
      value: "similar",
      label: t("similar"),
      content: (
        <Suspense fallback={<LoadingState />}>
          <SimilarPanel recording={recording} />
        </Suspense>
      ),
    });
  }
  const transcript = (
    <TranscriptTab
      recording={recording}
      query={query}
      store={store}
      player={player}
      canEdit={canEdit && hasSound}
      target={target}
      onHistory={() => setHistoryOpen(true)}
    />
  );
  if (isNarrow)
    panels.unshift({
      value: "transcript",
      label: t(hasSound ? "transcript" : "text"),
      content: <div className={styles.fill}>{transcript}</div>,
    });
  const isKnownTab = panels.some(({ value }) => value === tab);
  return (
    <div className={styles.page}>
      <div className={styles.head}>
        <RecordingHeader
          recording={recording}
          onUpdate={update}
          onShowMinutes={() => setTab("minutes")}
          onShowHistory={() => setHistoryOpen(true)}
        />
      </div>
      {!isNarrow && <div className={styles.transcript}>{transcript}</div>}
      <div className={styles.side}>
        {player !== null && <Media recording={recording} player={player} />}
        <Tabs
          label={t("parts")}
          value={isKnownTab ? tab : (panels[0]?.value ?? "")}
          onChange={setTab}
          tabs={panels}
        />
      </div>
      {player !== null && (
        <div className={styles.player}>
          <PlayerBar
            recording={recording}
            player={player}
            segments={segments}
            speakers={query.data?.speakers ?? recording.speakers}
            canEdit={canEdit}
            bookmarks={bookmarks}
            onHelp={() => setHelpOpen(true)}
          />
        </div>
      )}
      {isHelpOpen && <HelpDialog onClose={() => setHelpOpen(false)} />}
      {isHistoryOpen && (
        <HistoryDialog
          recordingId={recording.id}
          canEdit={canEdit && hasSound}
          onRevert={(revision) => store.revert(revision)}
          onClose={() => setHistoryOpen(false)}
        />
      )}
    </div>
  );
}

function Media({ recording, player }: { recording: Recording; player: Player }) {
  const { t } = useTranslation("recording");
  const address = `/media/${recording.id}`;
  if (recording.mediaType.startsWith("video/")) {
    return (
      // biome-ignore lint/a11y/useMediaCaption: the transcript beside it is what is said
      <video
        ref={player.attach}
        src={address}
        preload="metadata"
        playsInline
        className={styles.video}
        aria-label={t("video")}
        onClick={() => player.toggle()}
      />
    );
  }
  // biome-ignore lint/a11y/useMediaCaption: as above
  return <audio ref={player.attach} src={address} preload="metadata" />;
}

/** Whether the browser has just opened this very address: from a link elsewhere, a bookmark, or by a reload. */
let isOpenedByBrowser = true;

function wasOpenedByBrowser(): boolean {
  const [entry] = performance.getEntriesByType("navigation");
  const isFirst = isOpenedByBrowser && entry?.name.split("#")[0] === window.location.href.split("#")[0];
  isOpenedByBrowser = false;
  return isFirst;
}

/** `?t=SECONDS` goes there; it plays where a click on this very page has asked for it. */
function useSeekByAddress(player: Player | null): void {
  const [parameters] = useSearchParams();
  const wanted = parameters.get("t");
  useEffect(() => {
    const seconds = Number(wanted);
    const isAsked = !wasOpenedByBrowser() && (navigator.userActivation?.isActive ?? false);
    if (player === null || wanted === null || !Number.isFinite(seconds) || seconds < 0) return;
    player.seek(seconds);
    if (isAsked) player.play();
  }, [player, wanted]);
}

/** Links into a document name the segments, `?segment=12` or `?segment=12-14`: it has no seconds. */
function useSegmentByAddress(onTarget: (target: Target) => void): void {
  const [parameters] = useSearchParams();
  const quote = quoteOf(useHistoryState());
  const wanted = parameters.get("segment");
  useEffect(() => {
    const target = wanted === null ? null : targetOf(wanted, quote);
    if (target !== null) onTarget(target);
  }, [wanted, quote, onTarget]);
}
