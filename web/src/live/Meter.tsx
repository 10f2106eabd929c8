import { useEffect, useRef } from "react";
import type { Observable } from "@/lib/observable";
import type { Level } from "./hearing";
import styles from "./Meter.module.css";

const BAR_PX = 3;
const GAP_PX = 2;
/** What is quieter is drawn as silence. */
const FLOOR_DB = -54;

/** Returns how high the bar of a level is, 0 to 1. */
export function heightOf(peak: number): number {
  if (peak <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(peak)) / FLOOR_DB));
}

function draw(canvas: HTMLCanvasElement, levels: readonly number[], colour: string): void {
  const scale = window.devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  context.fillStyle = colour;
  const room = Math.floor(width / (BAR_PX + GAP_PX));
  levels.slice(-room).forEach((level, index, shown) => {
    const bar = Math.max(2, level * height);
    const x = width - (shown.length - index) * (BAR_PX + GAP_PX);
    context.fillRect(x, (height - bar) / 2, BAR_PX, bar);
  });
}

/** The last seconds of sound, as bars that move to the left; where motion is not wanted only the newest one. */
export function Meter({ level }: { level: Observable<Level> }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const drawn = canvas.current;
    if (drawn === null) return;
    const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    let levels: number[] = [];
    let frame = 0;
    const stop = level.subscribe(() => {
      const height = heightOf(level.get().peak);
      levels = isStill ? Array(400).fill(height) : [...levels.slice(-400), height];
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => draw(drawn, levels, getComputedStyle(drawn).color));
    });
    return () => {
      cancelAnimationFrame(frame);
      stop();
    };
  }, [level]);
  return <canvas ref={canvas} className={styles.meter} aria-hidden />;
}
