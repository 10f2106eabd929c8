import { Popover as Radix } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import styles from "./Popover.module.css";

type PopoverProps = {
  trigger: ReactElement;
  /** Name for screen readers. */
  label: string;
  children: ReactNode;
  /** Which edge of the trigger it keeps to; otherwise it is centred. */
  align?: "start" | "end";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
};

/** A small panel that opens at its trigger, a button. */
export function Popover({ trigger, label, children, align, ...state }: PopoverProps) {
  return (
    <Radix.Root {...state}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          className={styles.popover}
          aria-label={label}
          align={align ?? "center"}
          sideOffset={6}
          collisionPadding={8}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
