/** Which recordings are chosen; the last one that was is where a range begins. */
export type Selection = { ids: ReadonlySet<string>; anchor: string | null };

export const NOTHING: Selection = { ids: new Set(), anchor: null };

/** Chooses one, or no longer; with `isRange` all from the anchor to it, in the order of `listed`. */
export function toggle(
  { ids, anchor }: Selection,
  id: string,
  isRange: boolean,
  listed: readonly string[],
): Selection {
  const next = new Set(ids);
  const from = anchor === null ? -1 : listed.indexOf(anchor);
  const to = listed.indexOf(id);
  if (isRange && from >= 0 && to >= 0) {
    const isChosen = ids.has(anchor ?? "");
    for (const between of listed.slice(Math.min(from, to), Math.max(from, to) + 1)) {
      if (isChosen) next.add(between);
      else next.delete(between);
    }
    return { ids: next, anchor };
  }
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** Leaves only what is still listed. */
export function keepListed(selection: Selection, listed: readonly string[]): Selection {
  if (selection.ids.size === 0) return selection;
  const there = new Set(listed);
  const ids = new Set([...selection.ids].filter((id) => there.has(id)));
  return ids.size === selection.ids.size ? selection : { ids, anchor: selection.anchor };
}
