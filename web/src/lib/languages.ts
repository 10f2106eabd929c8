/** Languages that multilingual speech models know, as the server names them. */
export const SPEECH_LANGUAGES: readonly string[] = (
  "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is " +
  "it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk " +
  "sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh"
).split(" ");

const names = new Map<string, Intl.DisplayNames>();

/** Returns a language's name in the page's language. */
export function languageName(code: string, pageLanguage: string): string {
  const known = names.get(pageLanguage) ?? new Intl.DisplayNames([pageLanguage], { type: "language" });
  names.set(pageLanguage, known);
  return known.of(code) ?? code;
}

/** Returns the languages of speech by name; those that this page's reader may well speak come first. */
export function speechLanguages(pageLanguage: string): { code: string; name: string }[] {
  const own = new Set([pageLanguage, ...navigator.languages].map((tag) => tag.split("-")[0]));
  const names = SPEECH_LANGUAGES.map((code) => ({ code, name: languageName(code, pageLanguage) }));
  const order = new Intl.Collator(pageLanguage);
  return names.sort(
    (a, b) => Number(own.has(b.code)) - Number(own.has(a.code)) || order.compare(a.name, b.name),
  );
}
