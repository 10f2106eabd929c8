import { CircleAlert, SearchX, Square } from "lucide-react";
import { Fragment } from "react";
import { useTranslation } from "react-i18next";
import { currentLocale } from "@/i18n";
import { languageOf } from "@/lib/script";
import { dateOnly } from "@/lib/time";
import { Box } from "@/ui/Box";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { Spinner } from "@/ui/Spinner";
import styles from "./AnswerCard.module.css";
import { CitationNumber } from "./Citation";
import { answerText, citedSources, numberedCitations } from "./citations";
import type { Exchange } from "./exchange";
import { usePositionOf, useSpeakersOf } from "./PlaceLine";
import type { Place } from "./place";
import { SourceCard } from "./SourceCard";

type AnswerCardProps = { exchange: Exchange; onStop: () => void; onRepeat: () => void };

function LookedAt({ places, summary }: { places: readonly Place[]; summary: string }) {
  if (places.length === 0) return null;
  return (
    <details className={styles.lookedAt}>
      <summary>{summary}</summary>
      <ul className={styles.sources}>
        {places.map((place) => (
          <li key={`${place.recordingId}-${place.segmentIndex}-${place.text}`}>
            <SourceCard place={place} ranges={[]} seconds={place.start} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function dayOf({ recordedAt }: Place): string {
  return recordedAt === null ? "" : dateOnly(new Date(recordedAt), currentLocale());
}

function Sentences({ exchange }: { exchange: Exchange }) {
  const sources = citedSources(exchange);
  return exchange.sentences.map((sentence, position) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: sentences are only ever added at the end
    <Fragment key={position}>
      {sentence.text}{" "}
      {numberedCitations(sentence, sources).map(({ source, citation }) => (
        <CitationNumber key={source.number} source={source} citation={citation} />
      ))}{" "}
    </Fragment>
  ));
}

/** A question and its answer: what is checked, with its sources, and, while it is written, what is not. */
export function AnswerCard({ exchange, onStop, onRepeat }: AnswerCardProps) {
  const { t } = useTranslation("search");
  const positionOf = usePositionOf();
  const speakersOf = useSpeakersOf();
  const { state, sources, sentences, unchecked, isFound } = exchange;
  const cited = citedSources(exchange);
  const others = sources.filter((place) => cited.every((source) => source.place !== place));
  const isAsking = state === "asking";
  const whereOf = (place: Place, seconds: number) =>
    [dayOf(place), positionOf(place, seconds), speakersOf(place)].filter(Boolean).join(", ");
  const stage = sources.length === 0 ? t("searching") : unchecked === "" ? t("reading") : t("beingChecked");
  return (
    <Box as="article" aria-busy={isAsking}>
      <h2 className={styles.question}>{exchange.question}</h2>
      {exchange.standalone !== "" && exchange.standalone !== exchange.question && (
        <p className={styles.muted}>{t("understoodAs", { question: exchange.standalone })}</p>
      )}
      <div aria-live="polite" aria-atomic="false" className={styles.live}>
        {sentences.length > 0 && (
          <p className={styles.answer} lang={languageOf(sentences[0]?.text ?? "")}>
            <Sentences exchange={exchange} />
          </p>
        )}
        {isFound === false && (
          <div className={styles.notFound}>
            <SearchX aria-hidden />
            <div>
              <p className={styles.strong}>{t("notFound")}</p>
              <p className={styles.muted}>
                {sources.length === 0 ? t("notFoundNothing") : t("notFoundText", { count: sources.length })}
              </p>
            </div>
          </div>
        )}
        {state === "stopped" && <p className={styles.muted}>{t("stopped")}</p>}
      </div>
      {isAsking && unchecked !== "" && (
        <p className={styles.unchecked} aria-hidden>
          {unchecked}
        </p>
      )}
      {isAsking && (
        <div className={styles.working}>
          <Spinner />
          <span role="status">{stage}</span>
          <Button size="small" icon={<Square />} onClick={onStop}>
            {t("stop")}
          </Button>
        </div>
      )}
      {state === "failed" && (
        <div className={styles.failed} role="alert">
          <CircleAlert aria-hidden />
          <p>{exchange.error}</p>
        </div>
      )}
      {cited.length > 0 && (
        <section aria-label={t("sources")} className={styles.cited}>
          <h3>{t("sources")}</h3>
          <ol className={styles.sources}>
            {cited.map(({ number, place, citations }) => (
              <li key={number}>
                <SourceCard
                  number={number}
                  place={place}
                  ranges={citations.map(({ range }) => range)}
                  seconds={citations[0]?.start ?? place.start}
                />
              </li>
            ))}
          </ol>
        </section>
      )}
      {!isAsking && (
        <>
          <LookedAt
            places={others}
            summary={
              isFound === false
                ? t("closest", { count: others.length })
                : t("alsoLookedAt", { count: others.length })
            }
          />
          <div className={styles.tools}>
            {sentences.length > 0 && (
              <CopyButton label={t("copyAnswer")} text={() => answerText(exchange, whereOf, t("sources"))} />
            )}
            {(state === "failed" || state === "stopped") && (
              <Button size="small" onClick={onRepeat}>
                {t("askAgain")}
              </Button>
            )}
          </div>
        </>
      )}
    </Box>
  );
}
