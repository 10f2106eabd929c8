/** Returns a title as the name of a file that every system takes. */
export function fileNameOf(title: string, extension: string): string {
  const name = title
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what file names must not have
    .replace(/[\x00-\x1f<>:"/\\|?*]+/g, " ")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^\.+|\.+$/g, "");
  return `${[...name].slice(0, 120).join("") || "recording"}.${extension}`;
}
