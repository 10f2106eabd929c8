import { QueryClientProvider } from "@tanstack/react-query";
import { configure, render } from "@testing-library/react";
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
