import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { keys } from "@/api/queries";
import { getCaller } from "@/app/session";
import { useToasts } from "@/ui/Toast";
import { rememberedOptions, rememberOptions } from "@/uploads/options";
import type { Picked } from "@/uploads/pick";
import type { UploadOptions } from "@/uploads/types";
import { addUploads } from "@/uploads/uploads";

/** How files get into the library, with the options that were used last. */
export function useAddFiles() {
  const { t } = useTranslation("library");
  const { show, showError } = useToasts();
  const { data: caller } = useQuery({ queryKey: keys.caller, queryFn: getCaller });
  const user = caller?.user;
  const [options, setOptions] = useState(rememberedOptions);
  const changeOptions = useCallback((changed: UploadOptions) => {
    setOptions(changed);
    rememberOptions(changed);
  }, []);
  const add = useCallback(
    async (picking: Promise<Picked> | Picked) => {
      try {
        const { files, skippedCount } = await picking;
        if (skippedCount > 0) show(t("skipped", { count: skippedCount }));
        if (files.length > 0 && user !== undefined) await addUploads(files, options, user);
      } catch (error) {
        showError(error);
      }
    },
    [options, user, show, showError, t],
  );
  return useMemo(() => ({ add, options, changeOptions }), [add, options, changeOptions]);
}

export type Adding = ReturnType<typeof useAddFiles>;
