import { Check } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import type { ReactElement, ReactNode } from "react";
import styles from "./Menu.module.css";

type MenuProps = {
  trigger: ReactElement;
  /** It is open when it is first rendered: for menus that are made when they are asked for. */
  defaultOpen?: boolean;
  onOpenChange?: (open: boolean) => void;
  /** It has closed, and its trigger is about to get the focus back; unless that is prevented. */
  onCloseAutoFocus?: (event: Event) => void;
  children: ReactNode;
};

/** A menu that opens below its trigger, a button. It is not modal: that would write a style element into the page. */
export function Menu({ trigger, children, onCloseAutoFocus, ...state }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false} {...state}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          className={styles.menu}
          align="end"
          sideOffset={6}
          collisionPadding={8}
          {...(onCloseAutoFocus === undefined ? {} : { onCloseAutoFocus })}
        >
          {children}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

type MenuItemProps = {
  icon?: ReactNode;
  danger?: boolean;
  disabled?: boolean;
  onSelect: () => void;
  children: ReactNode;
};

export function MenuItem({ icon, danger = false, disabled = false, onSelect, children }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      className={danger ? `${styles.item} ${styles.danger}` : styles.item}
      disabled={disabled}
      onSelect={onSelect}
    >
      <span className={styles.icon}>{icon}</span>
      {children}
    </DropdownMenu.Item>
  );
}

type MenuChoiceProps = { checked: boolean; onSelect: () => void; children: ReactNode };

/** One of several choices, or one that can be switched; the menu stays open. */
export function MenuChoice({ checked, onSelect, children }: MenuChoiceProps) {
  return (
    <DropdownMenu.CheckboxItem
      className={styles.item}
      checked={checked}
      onSelect={(event) => {
        event.preventDefault();
        onSelect();
      }}
    >
      <span className={styles.icon}>
        <DropdownMenu.ItemIndicator>
          <Check />
        </DropdownMenu.ItemIndicator>
      </span>
      {children}
    </DropdownMenu.CheckboxItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className={styles.label}>{children}</DropdownMenu.Label>;
}

export function MenuSeparator() {
  return <DropdownMenu.Separator className={styles.separator} />;
}
