/** Formats by language: one costs a millisecond to make, and a list needs the same one in every row. */

const dates = new Map<string, Intl.DateTimeFormat>();
const names = new Map<string, Intl.DisplayNames>();

export function dateFormat(language: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  const format = dates.get(key) ?? new Intl.DateTimeFormat(language, options);
  dates.set(key, format);
  return format;
}

export function languageNames(language: string): Intl.DisplayNames {
  const format = names.get(language) ?? new Intl.DisplayNames([language], { type: "language" });
  names.set(language, format);
  return format;
}
