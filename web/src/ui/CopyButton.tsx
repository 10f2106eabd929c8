import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { copyText } from "@/lib/clipboard";
import { Button, IconButton } from "./Button";
import { useToasts } from "./Toast";

const SHOWN_MS = 2_000;

type CopyButtonProps = {
  /** What is copied. */
  text: string | (() => string);
  /** What the button says; without it "Copy". */
  label?: string;
  /** Only the icon is shown. */
  iconOnly?: boolean;
};

/** Copies a text, and says so in its place. */
export function CopyButton({ text, label, iconOnly = false }: CopyButtonProps) {
  const { t } = useTranslation("ui");
  const toasts = useToasts();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await copyText(typeof text === "string" ? text : text());
      setCopied(true);
    } catch (error) {
      toasts.showError(error);
    }
  };
  const icon = copied ? <Check /> : <Copy />;
  const shown = copied ? t("copied") : (label ?? t("copy"));
  return (
    <>
      {iconOnly ? (
        <IconButton size="small" label={shown} icon={icon} onClick={copy} />
      ) : (
        <Button size="small" icon={icon} onClick={copy}>
          {shown}
        </Button>
      )}
      <span role="status" className="visually-hidden">
        {copied ? t("copied") : ""}
      </span>
    </>
  );
}
