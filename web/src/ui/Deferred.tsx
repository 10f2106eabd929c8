import { cloneElement, type ReactElement, type ReactNode, Suspense, useState } from "react";

type TriggerProps = { onClick?: () => void; "aria-haspopup"?: "menu" | "dialog"; "aria-expanded"?: boolean };

type DeferredProps = {
  /** The button that opens it. */
  trigger: ReactElement<TriggerProps>;
  opens: "menu" | "dialog";
  /** A lazy component with the same trigger, open when it is first rendered. */
  children: ReactNode;
};

/** A button whose menu or panel is loaded when it is asked for the first time: pages come sooner without. */
export function Deferred({ trigger, opens, children }: DeferredProps) {
  const [isAsked, setIsAsked] = useState(false);
  const closed = cloneElement(trigger, {
    "aria-haspopup": opens,
    "aria-expanded": false,
    onClick: () => setIsAsked(true),
  });
  return isAsked ? <Suspense fallback={closed}>{children}</Suspense> : closed;
}
