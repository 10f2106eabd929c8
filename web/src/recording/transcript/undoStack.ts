/**
 * What can be undone: revisions of the transcript that this page has seen, in the order of its own changes, and which of
 * them is shown. Going back is a new revision for the server with the content of an old one.
 */
export type UndoStack = { readonly revisions: readonly number[]; readonly position: number };

export function startUndo(revision: number): UndoStack {
  return { revisions: [revision], position: 0 };
}

/** After a change: what had been undone can't be done again. */
export function changedTo(stack: UndoStack, revision: number): UndoStack {
  return {
    revisions: [...stack.revisions.slice(0, stack.position + 1), revision],
    position: stack.position + 1,
  };
}

/** The revision that undo goes back to; null where there is nothing to undo. */
export function undoTarget({ revisions, position }: UndoStack): number | null {
  return revisions[position - 1] ?? null;
}

/** The revision that redo goes to; null where nothing was undone. */
export function redoTarget({ revisions, position }: UndoStack): number | null {
  return revisions[position + 1] ?? null;
}

export function moved(stack: UndoStack, step: 1 | -1): UndoStack {
  return { ...stack, position: stack.position + step };
}
