/** Returns a folder as the server takes it: names between slashes. */
export function tidyFolder(folder: string): string {
  return folder
    .split("/")
    .map((name) => name.trim())
    .filter(Boolean)
    .join("/");
}
