import {
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import styles from "./Field.module.css";

type FieldProps = {
  label: string;
  /** The label is for screen readers only: where the place makes it clear what the field is. */
  hideLabel?: boolean;
  hint?: ReactNode;
  error?: string | undefined;
};

function Field({
  label,
  hideLabel = false,
  hint,
  error,
  children,
}: FieldProps & { children: (ids: { id: string; describedBy: string | undefined }) => ReactNode }) {
  const id = useId();
  const note = error ?? hint;
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={hideLabel ? "visually-hidden" : styles.label}>
        {label}
      </label>
      {children({ id, describedBy: note === undefined ? undefined : `${id}-note` })}
      {note !== undefined && (
        <p
          id={`${id}-note`}
          className={error === undefined ? styles.hint : styles.error}
          role={error ? "alert" : undefined}
        >
          {note}
        </p>
      )}
    </div>
  );
}

type TextFieldProps = FieldProps &
  InputHTMLAttributes<HTMLInputElement> & { icon?: ReactNode; ref?: Ref<HTMLInputElement> };

/** One line of text, with its label. */
export function TextField({
  label,
  hideLabel = false,
  hint,
  error,
  icon,
  className,
  ...input
}: TextFieldProps) {
  return (
    <Field label={label} hideLabel={hideLabel} hint={hint} error={error}>
      {({ id, describedBy }) => (
        <span className={styles.box}>
          {icon !== undefined && <span className={styles.icon}>{icon}</span>}
          <input
            type="text"
            {...input}
            id={id}
            aria-describedby={describedBy}
            aria-invalid={error !== undefined || undefined}
            className={[styles.input, icon !== undefined && styles.withIcon, className]
              .filter(Boolean)
              .join(" ")}
          />
        </span>
      )}
    </Field>
  );
}

type TextAreaProps = FieldProps &
  TextareaHTMLAttributes<HTMLTextAreaElement> & { ref?: Ref<HTMLTextAreaElement> };

/** Several lines of text, with their label. */
export function TextArea({ label, hideLabel = false, hint, error, className, ...area }: TextAreaProps) {
  return (
    <Field label={label} hideLabel={hideLabel} hint={hint} error={error}>
      {({ id, describedBy }) => (
        <textarea
          rows={4}
          {...area}
          id={id}
          aria-describedby={describedBy}
          aria-invalid={error !== undefined || undefined}
          className={[styles.input, styles.area, className].filter(Boolean).join(" ")}
        />
      )}
    </Field>
  );
}

type SelectProps = FieldProps & SelectHTMLAttributes<HTMLSelectElement>;

/** One of some values: the browser's own list, which phones show best. Options are its children. */
export function Select({
  label,
  hideLabel = false,
  hint,
  error,
  className,
  children,
  ...select
}: SelectProps) {
  return (
    <Field label={label} hideLabel={hideLabel} hint={hint} error={error}>
      {({ id, describedBy }) => (
        <select
          {...select}
          id={id}
          aria-describedby={describedBy}
          className={[styles.input, styles.select, className].filter(Boolean).join(" ")}
        >
          {children}
        </select>
      )}
    </Field>
  );
}

type CheckboxProps = Omit<InputHTMLAttributes<HTMLInputElement>, "type"> & {
  label: ReactNode;
  /** The label is for screen readers only. */
  hideLabel?: boolean;
  /** Some of what it stands for is checked, and some is not. */
  mixed?: boolean;
};

/** A box to tick. */
export function Checkbox({ label, hideLabel = false, mixed = false, className, ...input }: CheckboxProps) {
  return (
    <label className={[styles.check, className].filter(Boolean).join(" ")}>
      <input
        {...input}
        type="checkbox"
        ref={(box) => {
          if (box) box.indeterminate = mixed;
        }}
      />
      <span className={hideLabel ? "visually-hidden" : undefined}>{label}</span>
    </label>
  );
}
