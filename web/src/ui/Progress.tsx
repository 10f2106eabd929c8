import { Progress as Radix } from "radix-ui";
import styles from "./Progress.module.css";

type ProgressProps = {
  /** What is going on, for screen readers. */
  label: string;
  /** How much of it is done, 0 to 100; null while that is not known. */
  percent: number | null;
};

export function Progress({ label, percent }: ProgressProps) {
  const value = percent === null ? null : Math.min(100, Math.max(0, percent));
  return (
    <Radix.Root className={styles.track} value={value} aria-label={label}>
      <Radix.Indicator
        className={value === null ? `${styles.bar} ${styles.unknown}` : styles.bar}
        style={value === null ? undefined : { transform: `scaleX(${value / 100})` }}
      />
    </Radix.Root>
  );
}
