import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { failureOf, isAborted } from "@/api/errors";
import { keys } from "@/api/queries";
import { type Model, type ModelPull, ModelState, PullPhase } from "@/gen/recordroute/gateway/v1/model_pb";
import { models } from "./client";

export type Pull = {
  /** How far it is; null where none runs. */
  progress: ModelPull | null;
  /** Why it ended without the model; null where it did not. */
  error: unknown;
  start: () => void;
};

/**
 * The pull of a model. It runs in the server: whoever comes later joins it, and leaving this page does not end it.
 */
export function usePull(model: Model, canManage: boolean): Pull {
  const cache = useQueryClient();
  const [progress, setProgress] = useState<ModelPull | null>(null);
  const [error, setError] = useState<unknown>(null);
  const watching = useRef<AbortController | null>(null);
  const { id } = model;

  const start = useCallback(async () => {
    if (watching.current !== null) return;
    const gone = new AbortController();
    watching.current = gone;
    setError(null);
    try {
      const request = { requestId: crypto.randomUUID(), modelId: id };
      for await (const { pull } of models.pullModel(request, { signal: gone.signal })) {
        if (pull !== undefined) setProgress(pull);
      }
    } catch (failure) {
      const isWanted = isAborted(failure) || failureOf(failure).reason === "PULL_CANCELLED";
      if (!gone.signal.aborted && !isWanted) setError(failure);
    } finally {
      if (watching.current === gone) {
        watching.current = null;
        setProgress(null);
        void cache.invalidateQueries({ queryKey: keys.models });
        void cache.invalidateQueries({ queryKey: keys.system });
      }
    }
  }, [cache, id]);

  const isRunning = model.state === ModelState.PULLING && model.pull?.phase !== PullPhase.FAILED;
  useEffect(() => {
    if (isRunning && canManage) void start();
  }, [isRunning, canManage, start]);
  useEffect(
    () => () => {
      watching.current?.abort();
      watching.current = null;
    },
    [],
  );
  return {
    progress: progress ?? (isRunning ? (model.pull ?? null) : null),
    error,
    start: () => void start(),
  };
}
