import styles from "./CheckboxGroup.module.css";
import { Checkbox } from "./Field";

type CheckboxGroupProps<T> = {
  label: string;
  options: readonly { value: T; label: string; disabled?: boolean }[];
  chosen: readonly T[];
  error?: string | undefined;
  onChange: (chosen: T[]) => void;
};

/** Any number of some values: boxes one below the other. */
export function CheckboxGroup<T extends string | number>(props: CheckboxGroupProps<T>) {
  const { label, options, chosen, error, onChange } = props;
  return (
    <fieldset className={styles.group}>
      <legend>{label}</legend>
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
      {error !== undefined && (
        <p className={styles.error} role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
