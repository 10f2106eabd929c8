/** What keys do on the page. */
export type Shortcut =
  | { do: "toggle" | "mute" | "bookmark" | "edit" | "help" | "slower" | "faster" | "find" | "undo" | "redo" }
  | { do: "by"; seconds: number }
  | { do: "part"; tenth: number }
  | { do: "word" | "segment"; step: 1 | -1 };

type Keys = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">;

/** With Korean and other letters on the keyboard a key is told by its place. */
function letterOf({ key, code }: Keys): string {
  if (/^[\x20-\x7e]$/.test(key)) return key.toLowerCase();
  const placed = /^(?:Key([A-Z])|Digit(\d))$/.exec(code);
  return placed === null ? key : (placed[1] ?? placed[2] ?? "").toLowerCase();
}

const PLAIN: Record<string, Shortcut> = {
  " ": { do: "toggle" },
  k: { do: "toggle" },
  j: { do: "by", seconds: -15 },
  l: { do: "by", seconds: 15 },
  ArrowLeft: { do: "by", seconds: -5 },
  ArrowRight: { do: "by", seconds: 5 },
  "[": { do: "slower" },
  "]": { do: "faster" },
  ",": { do: "word", step: -1 },
  ".": { do: "word", step: 1 },
  m: { do: "mute" },
  b: { do: "bookmark" },
  e: { do: "edit" },
  "?": { do: "help" },
};

/** Returns what a key is for; null where the page has no use for it. */
export function shortcutOf(keys: Keys): Shortcut | null {
  const letter = letterOf(keys);
  if (keys.ctrlKey || keys.metaKey) {
    if (keys.altKey) return null;
    if (letter === "f" && !keys.shiftKey) return { do: "find" };
    if (letter === "z") return { do: keys.shiftKey ? "redo" : "undo" };
    if (letter === "y" && !keys.shiftKey) return { do: "redo" };
    return null;
  }
  if (keys.altKey) {
    if (letter === "ArrowUp") return { do: "segment", step: -1 };
    if (letter === "ArrowDown") return { do: "segment", step: 1 };
    return null;
  }
  if (/^[0-9]$/.test(letter)) return { do: "part", tenth: Number(letter) };
  return Object.hasOwn(PLAIN, letter) ? (PLAIN[letter] ?? null) : null;
}

const TYPING =
  "input:not([type=checkbox], [type=range], [type=radio]), textarea, select, [contenteditable=true]";
/** These do something of their own with the space bar, and some with arrows. */
const OPERATED = "button, a, summary, [role=menuitem], [role=tab], [role=switch], [role=slider], input";
const ARROWS = "[role=slider], [role=tablist], [role=menu], [role=radiogroup], input";

/** Whether a key belongs to what has the focus, and not to the page. */
export function isTaken(event: KeyboardEvent, shortcut: Shortcut): boolean {
  if (event.defaultPrevented || event.isComposing) return true;
  if (document.querySelector("dialog[open], [role=menu]") !== null) return true;
  const { target } = event;
  if (!(target instanceof Element)) return false;
  // The page's own search is opened from anywhere; pressed in its own field, the browser's comes.
  if (shortcut.do === "find") return target.closest("[data-find]") !== null;
  if (target.closest(TYPING) !== null) return true;
  if (event.key === " ") return target.closest(OPERATED) !== null;
  if (event.key.startsWith("Arrow")) return target.closest(ARROWS) !== null;
  return false;
}
