import styles from "./Logo.module.css";

export function Logo() {
  return (
    <span className={styles.logo}>
      <svg viewBox="0 0 64 64" aria-hidden="true">
        <rect width="64" height="64" rx="15" className={styles.ground} />
        <path d="M14 29v6M23 21v22M32 13v38M41 24v16" className={styles.wave} />
        <circle cx="51" cy="32" r="4.5" className={styles.dot} />
      </svg>
      RecordRoute
    </span>
  );
}
