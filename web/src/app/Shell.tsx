import { Activity, AudioLines, type LucideIcon, Mic, Search, Settings } from "lucide-react";
import { type ReactNode, Suspense, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { useConnected } from "@/api/watch";
import { QuietLink } from "@/ui/QuietLink";
import { LoadingState } from "@/ui/State";
import { Logo } from "./Logo";
import styles from "./Shell.module.css";

type Entry = { path: string; key: "library" | "find" | "live" | "activity" | "settings"; icon: LucideIcon };

const ENTRIES: Entry[] = [
  { path: "/", key: "library", icon: AudioLines },
  { path: "/find", key: "find", icon: Search },
  { path: "/live", key: "live", icon: Mic },
  { path: "/activity", key: "activity", icon: Activity },
  { path: "/settings", key: "settings", icon: Settings },
];

function isHere(entry: Entry, location: string): boolean {
  if (entry.path === "/") return location === "/" || location.startsWith("/recordings/");
  return location === entry.path || location.startsWith(`${entry.path}/`);
}

/** Ctrl+K or Cmd+K leads to the find page from everywhere; there, to its box. */
function useFindKey(): void {
  const [location, navigate] = useLocation();
  useEffect(() => {
    const find = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      if (event.altKey || event.shiftKey || document.querySelector("dialog[open]") !== null) return;
      event.preventDefault();
      if (location !== "/find") navigate("/find");
      else document.getElementById("find-box")?.focus();
    };
    window.addEventListener("keydown", find);
    return () => window.removeEventListener("keydown", find);
  }, [location, navigate]);
}

type ShellProps = {
  children: ReactNode;
  /** What stays in view on every page: running uploads, a live session. */
  dock?: ReactNode;
};

/** The frame of every page: the ways to the others, and whether the server answers. */
export function Shell({ children, dock }: ShellProps) {
  const { t } = useTranslation("app");
  const [location] = useLocation();
  const connected = useConnected();
  useFindKey();
  return (
    <div className={styles.shell}>
      <a href="#content" className={styles.skip}>
        {t("skipToContent")}
      </a>
      <header className={styles.side}>
        <Link href="/" className={styles.home} aria-label={t("home")}>
          <Logo />
        </Link>
        <nav aria-label={t("mainNavigation")} className={styles.nav}>
          {ENTRIES.map((entry) => (
            <QuietLink
              key={entry.path}
              href={entry.path}
              aria-current={isHere(entry, location) ? "page" : undefined}
            >
              <entry.icon aria-hidden />
              <span>{t(entry.key)}</span>
            </QuietLink>
          ))}
        </nav>
      </header>
      <div className={styles.main}>
        <p role="status" className={connected ? "visually-hidden" : styles.offline}>
          {connected ? "" : t("notConnected")}
        </p>
        <main id="content" tabIndex={-1} className={styles.content}>
          <Suspense fallback={<LoadingState />}>{children}</Suspense>
        </main>
        {dock}
      </div>
    </div>
  );
}
