import { type CodePointRange, markedPieces } from "./codePoints";
import styles from "./Marked.module.css";

/** A text with marked stretches. */
export function Marked({ text, ranges }: { text: string; ranges: readonly CodePointRange[] }) {
  return markedPieces(text, ranges).map((piece) =>
    piece.isMarked ? (
      <mark key={piece.start} className={styles.mark}>
        {piece.text}
      </mark>
    ) : (
      piece.text
    ),
  );
}
