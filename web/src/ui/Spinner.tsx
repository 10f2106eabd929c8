import styles from "./Spinner.module.css";

/** Something is on its way. With a label it is told to screen readers, too. */
export function Spinner({ label }: { label?: string }) {
  if (label === undefined) return <span className={styles.spinner} aria-hidden />;
  return (
    <span role="status" className={styles.row}>
      <span className={styles.spinner} aria-hidden />
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
