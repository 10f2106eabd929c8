import { cloneElement, type ReactElement, type ReactNode, useEffect, useRef } from "react";
import styles from "./Tooltip.module.css";

const DELAY_MS = 400;
const DISTANCE = 6;
const MARGIN = 8;

/** Puts the text above what it is about, or below where there is no room, and within the window. */
function place(bubble: HTMLElement, about: Element): void {
  const box = about.getBoundingClientRect();
  const { width, height } = bubble.getBoundingClientRect();
  const left = Math.min(box.left + box.width / 2 - width / 2, window.innerWidth - width - MARGIN);
  const above = box.top - height - DISTANCE;
  bubble.style.left = `${Math.max(MARGIN, left)}px`;
  bubble.style.top = `${above >= MARGIN ? above : box.bottom + DISTANCE}px`;
}

/** Shows the text of what the pointer rests on, or what the keyboard has come to. Returns what ends it. */
function follow(bubble: HTMLElement): () => void {
  const off = new AbortController();
  let about: Element | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hide = () => {
    clearTimeout(timer);
    about = null;
    bubble.hidePopover?.();
  };
  const show = () => {
    const text = about?.isConnected ? about.getAttribute("data-tooltip") : null;
    if (!about || !text) return;
    bubble.textContent = text;
    // Above dialogs, too: what was shown last stands in front.
    bubble.hidePopover?.();
    bubble.showPopover?.();
    place(bubble, about);
  };
  const turnTo = (target: EventTarget | null, delay: number) => {
    if (!(target instanceof Element) || bubble.contains(target)) return;
    const found = target.closest("[data-tooltip]");
    if (found === about) return;
    hide();
    about = found;
    if (found !== null) timer = setTimeout(show, delay);
  };
  const on = <Name extends keyof DocumentEventMap>(
    name: Name,
    act: (event: DocumentEventMap[Name]) => void,
  ) => document.addEventListener(name, act, { signal: off.signal, capture: true });
  on("pointerover", (event) => {
    if (event.pointerType !== "touch") turnTo(event.target, DELAY_MS);
  });
  on("focusin", ({ target }) => {
    if (target instanceof Element && target.matches(":focus-visible")) turnTo(target, 0);
  });
  on("focusout", hide);
  on("pointerdown", hide);
  on("scroll", hide);
  on("keydown", ({ key }) => {
    if (key === "Escape") hide();
  });
  document.documentElement.addEventListener("pointerleave", hide, { signal: off.signal });
  return () => {
    off.abort();
    hide();
  };
}

/** Stands once around everything that has tooltips: one element shows them all. */
export function TooltipProvider({ children }: { children: ReactNode }) {
  const bubble = useRef<HTMLDivElement>(null);
  useEffect(() => (bubble.current === null ? undefined : follow(bubble.current)), []);
  return (
    <>
      {children}
      {/* Its text is the name, or the description, of what it is about already: not to be read out twice. */}
      <div ref={bubble} popover="manual" className={styles.tooltip} aria-hidden />
    </>
  );
}

type Named = { "aria-label"?: string; "aria-description"?: string; "data-tooltip"?: string };

/** Tells what an icon means, or more than there is room for. Screen readers get it as the child's description. */
export function Tooltip({ text, children }: { text: string; children: ReactElement }) {
  const child = children as ReactElement<Named>;
  const isName = child.props["aria-label"] === text;
  return cloneElement(child, { "data-tooltip": text, ...(isName ? {} : { "aria-description": text }) });
}
