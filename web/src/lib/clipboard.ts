/** Puts a text on the clipboard. Throws where the browser does not let it. */
export async function copyText(text: string): Promise<void> {
  // Only pages of HTTPS and of this machine have the clipboard's API.
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (!isCopied) throw new Error("the browser does not let the page copy");
}
