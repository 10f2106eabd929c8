import type { ReactNode } from "react";
import styles from "./CheckboxGroup.module.css";
import { Checkbox } from "./Field";

type CheckboxGroupProps<T> = {
  label: string;
  options: readonly { value: T; label: ReactNode; disabled?: boolean }[];
  chosen: readonly T[];
  /** Boxes beside one another, as many as there are: more than a few lines can be scrolled. */
  flows?: boolean;
  error?: string | undefined;
  onChange: (chosen: T[]) => void;
};

/** Any number of some values: boxes to tick. */
export function CheckboxGroup<T extends string | number>(props: CheckboxGroupProps<T>) {
  const { label, options, chosen, flows = false, error, onChange } = props;
  return (
    <fieldset className={styles.group}>
      <legend>{label}</legend>
      <div className={flows ? styles.flowing : styles.column}>
        {options.map(({ value, label: name, disabled = false }) => (
          <Checkbox
            key={value}
            label={name}
            disabled={disabled}
            checked={chosen.includes(value)}
            onChange={({ target }) =>
              onChange(target.checked ? [...chosen, value] : chosen.filter((other) => other !== value))
            }
          />
        ))}
      </div>
      {error !== undefined && (
        <p className={styles.error} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
