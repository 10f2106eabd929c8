import { useState } from "react";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** As `public/theme.js` reads it before the first paint. */
const STORED = "recordroute.theme";

function storedTheme(): Theme {
  const stored = localStorage.getItem(STORED);
  return THEMES.find((theme) => theme === stored) ?? "system";
}

/** What the browser paints around the page; theme.js does the same before the styles are there. */
function paintFrame(theme: Theme): void {
  const colours = { light: "#faf9f7", dark: "#151514" };
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) {
    const own = meta.media.includes("dark") ? "dark" : "light";
    meta.content = colours[theme === "system" ? own : theme];
  }
}

function applyTheme(theme: Theme): void {
  if (theme === "system") {
    localStorage.removeItem(STORED);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(STORED, theme);
    document.documentElement.dataset.theme = theme;
  }
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(storedTheme);
  return [
    theme,
    (chosen) => {
      applyTheme(chosen);
      paintFrame(chosen);
      setTheme(chosen);
    },
  ];
}
