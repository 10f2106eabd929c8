import { ArrowDown, Bookmark } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { clock, isoDuration } from "@/lib/time";
import { Button } from "@/ui/Button";
import styles from "./CaptionList.module.css";
import type { CaptionLine, Captions as CaptionsSoFar, Interim } from "./captions";
import type { Mark } from "./recorder";

/** As near to the end as this the reader follows what is said. */
const FOLLOWS_PX = 120;

function distanceToEnd(): number {
  const page = document.documentElement;
  return page.scrollHeight - window.innerHeight - window.scrollY;
}

/** Keeps the end in view until its reader scrolls up; returns whether that is so, and how to get back to it. */
function useFollowing(news: unknown): [boolean, () => void] {
  const [follows, setFollows] = useState(true);
  const lastY = useRef(0);
  const toEnd = () => window.scrollTo({ top: document.documentElement.scrollHeight });
  useEffect(() => {
    const look = () => {
      // Only the reader scrolls up; what grows does not.
      if (window.scrollY < lastY.current) setFollows(distanceToEnd() < FOLLOWS_PX);
      else if (distanceToEnd() < FOLLOWS_PX) setFollows(true);
      lastY.current = window.scrollY;
    };
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it scrolls whenever there is something new
  useEffect(() => {
    if (follows) toEnd();
  }, [follows, news]);
  return [
    follows,
    () => {
      setFollows(true);
      toEnd();
    },
  ];
}

const Line = memo(function Line({ line }: { line: CaptionLine }) {
  const { t } = useTranslation("live");
  if (line.text === null) return <p className={styles.gap}>{t("captionsGap")}</p>;
  return (
    <p className={styles.line} lang={line.language || undefined}>
      <time className={styles.time} dateTime={isoDuration(line.start)}>
        {clock(line.start)}
      </time>
      <span>{line.text}</span>
    </p>
  );
});

function MarkLine({ mark }: { mark: Mark }) {
  const { t } = useTranslation("live");
  return (
    <p className={styles.mark}>
      <time className={styles.time} dateTime={isoDuration(mark.position)}>
        {clock(mark.position)}
      </time>
      <Bookmark aria-hidden />
      <span>{mark.label || t("bookmark")}</span>
    </p>
  );
}

/** Returns captions and bookmarks by their times. */
function inOrder(lines: readonly CaptionLine[], marks: readonly Mark[]): (CaptionLine | Mark)[] {
  const rest = [...marks].sort((a, b) => a.position - b.position);
  const all: (CaptionLine | Mark)[] = [];
  for (const line of lines) {
    while (rest[0] !== undefined && rest[0].position <= line.start) all.push(...rest.splice(0, 1));
    all.push(line);
  }
  return [...all, ...rest];
}

/** Languages that are written without spaces between words. */
const WITHOUT_SPACES = new Set(["ja", "km", "lo", "my", "th", "yue", "zh"]);

function separator({ stable, unstable }: Interim, language: string): string {
  return stable === "" || unstable === "" || WITHOUT_SPACES.has(language) ? "" : " ";
}

type CaptionsProps = { captions: CaptionsSoFar; marks: readonly Mark[]; isLive: boolean };

/** What was said: what may still change is told from what is settled by its colour and its style. */
export function Captions({ captions, marks, isLive }: CaptionsProps) {
  const { t } = useTranslation("live");
  const { lines, interim } = captions;
  const [follows, follow] = useFollowing(isLive ? captions : null);
  return (
    <section className={styles.captions} aria-label={t("captions")}>
      {/* Screen readers are told what is settled; what changes with each word would never let them finish. */}
      <div role="log" aria-live="polite" aria-relevant="additions" className={styles.lines}>
        {inOrder(lines, marks).map((one) =>
          "position" in one ? <MarkLine key={one.id} mark={one} /> : <Line key={one.id} line={one} />,
        )}
      </div>
      {interim !== null && (
        <p className={styles.line} aria-live="off" lang={captions.language || undefined}>
          <time className={styles.time} dateTime={isoDuration(interim.start)}>
            {clock(interim.start)}
          </time>
          <span>
            {interim.stable}
            <span className={styles.unstable}>
              {separator(interim, captions.language)}
              {interim.unstable}
            </span>
          </span>
        </p>
      )}
      {isLive && interim === null && (
        <div className={styles.waiting}>
          <p>{captions.speaking ? t("listening") : lines.length === 0 && t("notRecorded")}</p>
          {lines.length === 0 && <p className={styles.hint}>{t("captionsHint")}</p>}
        </div>
      )}
      {isLive && !follows && (
        <Button className={styles.jump} size="small" icon={<ArrowDown aria-hidden />} onClick={follow}>
          {t("jumpToNow")}
        </Button>
      )}
    </section>
  );
}
