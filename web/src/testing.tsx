import { QueryClientProvider } from "@tanstack/react-query";
import { configure, render } from "@testing-library/react";
import i18next, { type FlatNamespace } from "i18next";
import { type ReactNode, Suspense } from "react";
import { makeQueryClient } from "./api/queries";
import { startI18n } from "./i18n";
import { ToastProvider } from "./ui/Toast";
import { TooltipProvider } from "./ui/Tooltip";

// On a machine that is busy with other tests.
configure({ asyncUtilTimeout: 30_000 });

/** Renders a component as it stands in the page, with a cache of its own, in English. */
export async function renderInPage(node: ReactNode) {
  await startI18n();
  return render(
    <QueryClientProvider client={makeQueryClient()}>
      <TooltipProvider>
        <Suspense fallback={null}>
          <ToastProvider>{node}</ToastProvider>
        </Suspense>
      </TooltipProvider>
    </QueryClientProvider>,
  );
}

/** Returns the texts of a folder in both languages. */
export async function textsOf<Folder extends FlatNamespace>(folder: Folder) {
  await startI18n();
  await i18next.loadLanguages("ko");
  await i18next.loadNamespaces(folder);
  return { english: i18next.getFixedT("en", folder), korean: i18next.getFixedT("ko", folder) };
}
