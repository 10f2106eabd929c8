/** Returns the largest peak of each of `count` bars, 0 to 1, of peaks of 0 to 255. The loudest one fills the height. */
export function barsOf(peaks: Uint8Array, count: number): number[] {
  if (peaks.length === 0 || count <= 0) return [];
  let loudest = 1;
  for (const peak of peaks) loudest = Math.max(loudest, peak);
  return Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * peaks.length) / count));
    let highest = 0;
    for (let at = from; at < to; at += 1) highest = Math.max(highest, peaks[at] ?? 0);
    return highest / loudest;
  });
}

export const BAR_WIDTH = 2;
export const BAR_STEP = 3;

/** Returns the outline of bars around the middle of `height`, for the `d` of a path. */
export function barPath(bars: readonly number[], height: number): string {
  return bars
    .map((bar, position) => {
      const size = Math.max(2, bar * height);
      const x = position * BAR_STEP;
      return `M${x} ${((height - size) / 2).toFixed(1)}h${BAR_WIDTH}v${size.toFixed(1)}h-${BAR_WIDTH}z`;
    })
    .join("");
}
