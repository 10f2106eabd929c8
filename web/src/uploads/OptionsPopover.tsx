import { type ReactElement, useState } from "react";
import { useTranslation } from "react-i18next";
import { Popover } from "@/ui/Popover";
import { OptionsForm } from "./OptionsForm";
import type { UploadOptions } from "./types";

type OptionsPopoverProps = {
  trigger: ReactElement;
  options: UploadOptions;
  onChange: (options: UploadOptions) => void;
};

export default function OptionsPopover({ trigger, options, onChange }: OptionsPopoverProps) {
  const { t } = useTranslation("uploads");
  const [isOpen, setIsOpen] = useState(true);
  return (
    <Popover label={t("optionsTitle")} align="end" trigger={trigger} open={isOpen} onOpenChange={setIsOpen}>
      <OptionsForm options={options} onChange={onChange} />
    </Popover>
  );
}
