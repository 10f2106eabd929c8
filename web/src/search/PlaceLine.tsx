import { Calendar, FileText, Pause, Play, Users } from "lucide-react";
import { useTranslation } from "react-i18next";
import { currentLocale } from "@/i18n";
import { speakerName } from "@/lib/speakers";
import { clock, day, fullDateAndTime } from "@/lib/time";
import { Button } from "@/ui/Button";
import styles from "./PlaceLine.module.css";
import { PlaceLink, type Shown } from "./PlaceLink";
import type { Place } from "./place";
import { isSame, usePlayer } from "./player";

/** Returns a function that names where in a recording a place is: "12:34", "page 3". */
export function usePositionOf(): (place: Place, seconds: number) => string {
  const { t } = useTranslation("search");
  return (place, seconds) => {
    if (place.page !== null) return t("page", { page: place.page });
    if (place.line !== null) return t("line", { line: place.line });
    if (place.isDocument) return "";
    return clock(seconds);
  };
}

export function useSpeakersOf(): (place: Place) => string {
  const { t } = useTranslation("search");
  return (place) =>
    place.speakers.map((label) => speakerName(label, [], (number) => t("speaker", { number }))).join(", ");
}

/** Plays a place from the very second; a document opens there. */
export function PlayButton(shown: Shown) {
  const { place, seconds } = shown;
  const { t } = useTranslation("search");
  const player = usePlayer();
  const position = usePositionOf()(place, seconds);
  if (place.isDocument) {
    return (
      <PlaceLink {...shown} className={styles.open}>
        <FileText aria-hidden />
        {position === "" ? t("open") : position}
      </PlaceLink>
    );
  }
  const heard = { recordingId: place.recordingId, title: place.title, start: seconds };
  const isHeard = player.isPlaying && isSame(player.heard, heard);
  return (
    <Button
      size="small"
      className={styles.play}
      aria-label={isHeard ? t("pause") : t("playFrom", { title: place.title, position })}
      icon={isHeard ? <Pause /> : <Play />}
      onClick={() => player.play(heard)}
    >
      {position}
    </Button>
  );
}

function Recorded({ at }: { at: number }) {
  const { t } = useTranslation("search");
  const date = new Date(at);
  const language = currentLocale();
  return (
    <time className={styles.fact} dateTime={date.toISOString()} title={fullDateAndTime(date, language)}>
      <Calendar aria-hidden />
      <span className="visually-hidden">{t("recorded")}: </span>
      {day(date, language)}
    </time>
  );
}

/** Where a place is, when it was recorded, who speaks there, and the way to hear it. */
export function PlaceLine(shown: Shown) {
  const { place } = shown;
  const speakers = useSpeakersOf()(place);
  return (
    <div className={styles.line}>
      <PlayButton {...shown} />
      {place.recordedAt !== null && <Recorded at={place.recordedAt} />}
      {speakers !== "" && (
        <span className={styles.fact}>
          <Users aria-hidden />
          {speakers}
        </span>
      )}
    </div>
  );
}
