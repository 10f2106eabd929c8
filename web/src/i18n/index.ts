import i18next from "i18next";
import resourcesToBackend from "i18next-resources-to-backend";
import { initReactI18next } from "react-i18next";

export const LANGUAGES = { en: "English", ko: "한국어" } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = "recordroute.language";
/** Each folder with `locales/en.json` and `locales/ko.json` is a namespace, loaded when it is first used. */
const dictionaries = import.meta.glob<Record<string, string>>("../**/locales/*.json", { import: "default" });

function isLanguage(value: string | null | undefined): value is Language {
  return value != null && Object.hasOwn(LANGUAGES, value);
}

function firstLanguage(): Language {
  const stored = localStorage.getItem(STORED);
  if (isLanguage(stored)) return stored;
  for (const wanted of navigator.languages) {
    const primary = wanted.split("-")[0];
    if (isLanguage(primary)) return primary;
  }
  return "en";
}

/** Begins to load a dictionary that is going to be asked for. Where that fails, whoever asks for it is told. */
export function preloadTexts(namespace: string): void {
  void dictionaries[`../${namespace}/locales/${firstLanguage()}.json`]?.().catch(() => undefined);
}

/** The language of the page: an interface text is asked for as `useTranslation("folder")`, `t("key")`. */
export async function startI18n(): Promise<void> {
  i18next.on("languageChanged", (language) => {
    document.documentElement.lang = language;
    const description = document.querySelector<HTMLMetaElement>('meta[name="description"]');
    void i18next.loadNamespaces("app").then(() => {
      if (description !== null) description.content = i18next.t("app:description");
    });
  });
  await i18next
    .use(
      resourcesToBackend((language: string, namespace: string) => {
        const load = dictionaries[`../${namespace}/locales/${language}.json`];
        if (load === undefined) throw new Error(`there is no dictionary ${namespace}/${language}`);
        return load();
      }),
    )
    .use(initReactI18next)
    .init({
      lng: firstLanguage(),
      supportedLngs: Object.keys(LANGUAGES),
      // Every dictionary is whole, which the tests see to.
      fallbackLng: false,
      ns: ["ui", "app", "api"],
      defaultNS: "ui",
      keySeparator: false,
      nsSeparator: ":",
      // React escapes what it renders.
      interpolation: { escapeValue: false },
    });
}

/** What dates and numbers are written by: the browser's own habits where it speaks the page's language. */
export function currentLocale(): string {
  const language = currentLanguage();
  const own = navigator.languages.find((locale) => locale.split("-")[0] === language && locale !== language);
  return own ?? (language === "en" ? "en-GB" : language);
}

export function currentLanguage(): Language {
  return isLanguage(i18next.language) ? i18next.language : "en";
}

export async function setLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORED, language);
  await i18next.changeLanguage(language);
}
