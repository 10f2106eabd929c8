import {
  AudioWaveform,
  BookA,
  Boxes,
  KeyRound,
  LayoutTemplate,
  type LucideIcon,
  Server,
  SlidersHorizontal,
  UserRound,
  Webhook,
} from "lucide-react";
import { type ComponentType, lazy, Suspense, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { Redirect } from "wouter";
import { QuietLink } from "@/ui/QuietLink";
import { LoadingState } from "@/ui/State";
import { General } from "./General";
import styles from "./SettingsPage.module.css";

const SECTIONS = [
  { id: "general", icon: SlidersHorizontal, content: General },
  { id: "models", icon: Boxes, content: lazy(() => import("./models/Models")) },
  { id: "vocabulary", icon: BookA, content: lazy(() => import("./vocabulary/Vocabulary")) },
  { id: "templates", icon: LayoutTemplate, content: lazy(() => import("./templates/Templates")) },
  { id: "voices", icon: AudioWaveform, content: lazy(() => import("./Voices")) },
  { id: "keys", icon: KeyRound, content: lazy(() => import("./keys/ApiKeys")) },
  { id: "webhooks", icon: Webhook, content: lazy(() => import("./webhooks/Webhooks")) },
  { id: "system", icon: Server, content: lazy(() => import("./system/System")) },
  { id: "session", icon: UserRound, content: lazy(() => import("./Session")) },
] as const satisfies { id: string; icon: LucideIcon; content: ComponentType }[];

/** The settings, a section at a time. */
export default function SettingsPage({ section }: { section: string | undefined }) {
  const { t } = useTranslation("settings");
  const current = SECTIONS.find(({ id }) => id === (section ?? "general"));
  const list = useRef<HTMLUListElement>(null);
  const name = current === undefined ? "" : t(current.id);
  useEffect(() => {
    document.title = `${name} · ${t("title")} · RecordRoute`;
  }, [name, t]);
  // On phones the sections are a row that is wider than the screen.
  useEffect(() => {
    if (name === "") return;
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [name]);
  if (current === undefined) return <Redirect to="/settings" replace />;
  const Content = current.content;
  return (
    <div className={styles.page}>
      <h1>{t("title")}</h1>
      <div className={styles.columns}>
        <nav aria-label={t("sections")} className={styles.nav}>
          <ul ref={list}>
            {SECTIONS.map((one) => (
              <li key={one.id}>
                <QuietLink href={`/settings/${one.id}`} aria-current={one === current ? "page" : undefined}>
                  <one.icon aria-hidden />
                  {t(one.id)}
                </QuietLink>
              </li>
            ))}
          </ul>
        </nav>
        <div className={styles.content}>
          <Suspense fallback={<LoadingState />}>
            <Content />
          </Suspense>
        </div>
      </div>
    </div>
  );
}
